/** The output of `inspect` about the records in a state. */

import { InvalidArgumentError } from "commander";
import { CommandError } from "./failure.ts";
import { alignColumns, formatCount, formatSize } from "./format.ts";
import { messageOf } from "./reason.ts";
import {
  type KeyOptions,
  type StateContents,
  type StateCount,
  StateSummary,
} from "./state_summary.ts";

/** The options that are about the state. */
export interface StateOptions {
  readonly types?: boolean;
  readonly depth?: number;
  readonly filter?: string;
}

/** As Consul's. */
const DEPTH_DEFAULT = 2;

/** Which keys to count, if the options ask for keys. */
export function keyOptionsOf(
  { depth, filter }: StateOptions,
): KeyOptions | undefined {
  if (depth === undefined && filter === undefined) return undefined;
  return { depth: depth ?? DEPTH_DEFAULT, filter: filter ?? "" };
}

/** A number of parts of a key, 1 or more. */
export function parseDepth(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new InvalidArgumentError("Expected an integer of 1 or more.");
}

/**
 * Counts the records that pass by; a damaged state does not hide the metadata.
 */
export class StateInspection {
  readonly #summary: StateSummary;
  #error: unknown;

  constructor(options: StateOptions) {
    this.#summary = new StateSummary(keyOptionsOf(options));
  }

  /** Takes the next bytes of the state. */
  readonly take = (chunk: Uint8Array): void => {
    if (this.#error !== undefined) return;
    try {
      this.#summary.update(chunk);
    } catch (error) {
      this.#error = error;
    }
  };

  /**
   * The contents of the state.
   *
   * @throws {CommandError} when it is damaged.
   */
  finish(): StateContents {
    try {
      if (this.#error !== undefined) throw this.#error;
      return this.#summary.finish();
    } catch (error) {
      throw new CommandError(messageOf(error), { cause: error });
    }
  }
}

/** Lines for the terminal. */
export function describeContents(
  { program, types, keys }: StateContents,
): string[] {
  if (program === undefined) {
    return ["State: of another program than Consul and Nomad"];
  }
  return [
    `State: of ${program}`,
    "",
    ...describeCounts("TYPE", types),
    ...(keys === undefined ? [] : ["", ...describeCounts("KEY", keys)]),
  ];
}

function describeCounts(
  title: string,
  counts: readonly StateCount[],
): string[] {
  const total = counts.reduce(
    (sum, { count, size }) => ({
      count: sum.count + count,
      size: sum.size + size,
    }),
    { count: 0, size: 0 },
  );
  return alignColumns([
    [title, "COUNT", "SIZE"],
    ...[...counts, { name: "total", ...total }].map(({ name, count, size }) => [
      name,
      formatCount(count),
      formatSize(size),
    ]),
  ], ["left", "right", "right"]);
}

/** An object to be printed. */
export function contentsJson({ program, types, keys }: StateContents) {
  return {
    program: program ?? null,
    types,
    ...(keys === undefined ? {} : { keys }),
  };
}
