/**
 * How long to keep trying, and how long to wait in between.
 *
 * @module
 */

import { pause } from "../backend/pause.ts";
import { requireMs } from "../backend/options.ts";
import { type OptionNames, requireKnown } from "../option_names.ts";

/** How calls over a network are tried again. */
export interface RetryOptions {
  /**
   * Milliseconds without any progress after which a call fails; each byte that
   * comes starts them again. @default {60,000}
   */
  readonly budgetMs?: number | undefined;
  /**
   * The longest pause before the second attempt, in milliseconds. It doubles with
   * each attempt, and the real pause is a random part of it. @default {100}
   */
  readonly pauseMs?: number | undefined;
  /** The longest pause of all, in milliseconds. @default {5,000} */
  readonly pauseMsMax?: number | undefined;
}

const RETRY_OPTIONS: OptionNames<RetryOptions> = {
  budgetMs: true,
  pauseMs: true,
  pauseMsMax: true,
};

/** The options with every default filled in. */
export type ResolvedRetryOptions = {
  readonly [name in keyof RetryOptions]-?: number;
};

/** Time and chance, which tests replace. */
export interface RetryWorld {
  /** Milliseconds since some moment; never goes back. */
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  /** Waits; rejects with the signal's reason when that aborts. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The real time, and real chance. */
export const REAL_WORLD: RetryWorld = {
  now: () => performance.now(),
  random: () => Math.random(),
  wait: pause,
};

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option is not a number, or does not exist.
 * @throws {RangeError} when one is out of its bounds.
 */
export function resolveRetryOptions(
  options: RetryOptions = {},
): ResolvedRetryOptions {
  requireKnown(options, RETRY_OPTIONS);
  const { budgetMs = 60_000, pauseMs = 100, pauseMsMax = 5_000 } = options;
  return {
    budgetMs: requireMs("retry.budgetMs", budgetMs, 0),
    pauseMs: requireMs("retry.pauseMs", pauseMs),
    pauseMsMax: requireMs("retry.pauseMsMax", pauseMsMax),
  };
}

/** The attempts of one call. */
export class Retry {
  readonly #options: ResolvedRetryOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #world: RetryWorld;
  /** Attempts since the last progress. */
  #attempts = 0;
  #progressAt: number;

  /** Starts the budget; `signal` ends pauses. */
  constructor(
    options: ResolvedRetryOptions,
    signal?: AbortSignal,
    world: RetryWorld = REAL_WORLD,
  ) {
    this.#options = options;
    this.#signal = signal;
    this.#world = world;
    this.#progressAt = world.now();
  }

  /** Milliseconds of the budget that are left; 0 when there are none. */
  get leftMs(): number {
    return Math.max(this.#options.budgetMs - this.idleMs, 0);
  }

  /** Milliseconds since the last progress. */
  get idleMs(): number {
    return this.#world.now() - this.#progressAt;
  }

  /** Notes that bytes came: the budget is whole again, and pauses are short. */
  progress(): void {
    this.#attempts = 0;
    this.#progressAt = this.#world.now();
  }

  /**
   * Waits before the next attempt, for `afterMs` at least, as the other side
   * has asked. Throws the error of the last attempt when the budget does not
   * allow another one.
   *
   * @throws {unknown} the error; or the reason of the signal when that aborts.
   */
  async pauseAfter(error: unknown, afterMs = 0): Promise<void> {
    this.#signal?.throwIfAborted();
    const { pauseMs, pauseMsMax } = this.#options;
    const longest = Math.min(pauseMs * 2 ** this.#attempts++, pauseMsMax);
    // Random, so that many that failed together do not return together.
    const ms = Math.max(longest * this.#world.random(), afterMs);
    if (ms >= this.leftMs) throw error;
    await this.#world.wait(ms, this.#signal);
  }
}
