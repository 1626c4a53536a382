/**
 * Power cuts: every one of them, or a sample.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CrashChoice } from "@raft/snapshots/testing";
import { report } from "../support/full_run.ts";
import { freshSeed, type Random } from "../support/random.ts";
import {
  after,
  beginning,
  digest,
  type Ended,
  type History,
  judge,
  type Life,
  live,
  type Moment,
} from "./simulation.ts";
import type { Step } from "./scheduled_file_system.ts";

/** What all random choices of this run come from. */
export const seed: number = freshSeed();

/** How much of what was not synced is kept in a power cut; 0 and 100 are sure. */
const KEPT_PERCENT = [20, 50, 80];

/** All the ways to cut the power at one moment, with that many seeds of each. */
export function cuts(random: Random, seeds: number): CrashChoice[] {
  const chancy = KEPT_PERCENT.flatMap((keptPercent) =>
    (["atomic", "split"] as const).flatMap((renames) =>
      Array.from({ length: seeds }, () => ({
        seed: random.integer(2 ** 31),
        keptPercent,
        renames,
      }))
    )
  );
  return [
    { seed: 0, keptPercent: 0, renames: "atomic" },
    { seed: 0, keptPercent: 100, renames: "atomic" },
    ...chancy,
  ];
}

/** One line for each operation. */
export function formatTrace(trace: readonly Step[]): string {
  return trace.map(({ name, path, detail = "" }, i) =>
    `  ${i} ${name} ${path} ${detail}`.trimEnd()
  ).join("\n");
}

/** What is left of a disk, and how it came about. */
export interface Outcome {
  readonly history: History;
  readonly wrong: readonly string[];
}

/** Says what went wrong, and how to see it again. */
export function formatOutcome(
  { history, wrong }: Outcome,
  trace: readonly Step[],
): string {
  return [
    ...wrong,
    `SEED=${seed}, after ${trace.length} operations of the last process:`,
    formatTrace(trace),
    `See it again: deno task test:crash --replay '${JSON.stringify(history)}'`,
  ].join("\n");
}

/** Cuts the power again and again, and counts. */
export class Explorer {
  /** Power cuts that were tried. */
  #images = 0;
  /** What they left, which is the same for many. */
  readonly #seen = new Set<string>();
  readonly #scenario: string;
  readonly #droppedSync: string | undefined;

  constructor(
    scenario: string,
    options: { readonly droppedSync?: string } = {},
  ) {
    this.#scenario = scenario;
    this.#droppedSync = options.droppedSync;
  }

  /** Lets the lives take place; gives the disk that the last one left behind. */
  async lived(lives: readonly Life[]): Promise<Moment> {
    let moment = await beginning(this.#scenario);
    for (const [generation, life] of lives.entries()) {
      moment = after(await this.live(moment, generation, life), life.end);
    }
    return moment;
  }

  /** How many operations a process does that has those lives before it. */
  async lengthOf(lives: readonly Life[], schedule: number): Promise<number> {
    const moment = await this.lived(lives);
    const { trace } = await this.live(moment, lives.length, { schedule });
    return trace.length;
  }

  /** Lets the next process live. */
  live(
    moment: Moment,
    generation: number,
    life: Omit<Life, "end">,
  ): Promise<Ended> {
    const options = { ...life, generation, droppedSync: this.#droppedSync };
    return live(moment, this.#scenario, options);
  }

  /**
   * Lets another process live after those lives, and cuts the power as each of
   * the choices has it; gives the first outcome that is wrong.
   */
  async cut(
    lives: readonly Life[],
    last: Omit<Life, "end">,
    choices: readonly CrashChoice[],
  ): Promise<(Outcome & Pick<Ended, "trace">) | undefined> {
    const generation = lives.length;
    const ended = await this.live(await this.lived(lives), generation, last);
    for (const end of choices) {
      const wrong = await this.#judge(after(ended, end));
      if (wrong.length === 0) continue;
      const history = {
        scenario: this.#scenario,
        lives: [...lives, { ...last, end }],
      };
      return { history, wrong, trace: ended.trace };
    }
    return undefined;
  }

  /** As `cut()`, but an outcome that is wrong is an error. */
  async survive(...args: Parameters<Explorer["cut"]>): Promise<void> {
    const outcome = await this.cut(...args);
    if (outcome !== undefined) {
      assert.fail(formatOutcome(outcome, outcome.trace));
    }
  }

  /** Adds to the figures of the run. */
  report(): void {
    report("power cuts", this.#images);
    report("disks after them, no two alike", this.#seen.size);
  }

  async #judge(moment: Moment): Promise<readonly string[]> {
    this.#images++;
    // What was promised counts: the same disk may be right for less.
    const key = `${moment.ledger.fingerprint} ${digest(moment.disk)}`;
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    return await judge(moment);
  }
}
