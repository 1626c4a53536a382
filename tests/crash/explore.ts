/**
 * Cuts the power of simulated processes and checks the store that opens
 * there.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CrashChoice } from "@raft/snapshots/testing";
import { report } from "../support/full_run.ts";
import { freshSeed, type Random } from "../support/random.ts";
import {
  checkDisk,
  digest,
  type DiskState,
  type History,
  initialState,
  type Process,
  type ProcessResult,
  runProcess,
  stateAfter,
} from "./simulation.ts";
import type { Step } from "./scheduled_file_system.ts";

/** The seed of all random choices of this run. */
export const seed: number = freshSeed();

/** How much of the unsynced data is kept; 0 and 100 need no seed. */
const KEPT_PERCENT = [20, 50, 80];

/** All kinds of power cuts at one step, with that many seeds of each. */
export function cuts(random: Random, seeds: number): CrashChoice[] {
  const seeded = KEPT_PERCENT.flatMap((keptPercent) =>
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
    ...seeded,
  ];
}

/** One line for each operation. */
export function formatTrace(trace: readonly Step[]): string {
  return trace.map(({ name, path, detail = "" }, i) =>
    `  ${i} ${name} ${path} ${detail}`.trimEnd()
  ).join("\n");
}

/** The faults of a disk after a power cut, and how they came about. */
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
    `Replay it: deno task test:crash --replay '${JSON.stringify(history)}'`,
  ].join("\n");
}

/** Cuts the power again and again, and counts. */
export class Explorer {
  /** How many power cuts were tried. */
  #images = 0;
  /** Digests of the disks that they left; many leave the same. */
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

  /** Runs the processes one after the other; gives the disk after the last. */
  async runAll(processes: readonly Process[]): Promise<DiskState> {
    let diskState = await initialState(this.#scenario);
    for (const [generation, process] of processes.entries()) {
      diskState = stateAfter(
        await this.runProcess(diskState, generation, process),
        process.end,
      );
    }
    return diskState;
  }

  /** How many operations a process does that runs after those processes. */
  async lengthOf(
    processes: readonly Process[],
    schedule: number,
  ): Promise<number> {
    const diskState = await this.runAll(processes);
    const { trace } = await this.runProcess(diskState, processes.length, {
      schedule,
    });
    return trace.length;
  }

  /** Runs one more process. */
  runProcess(
    diskState: DiskState,
    generation: number,
    process: Omit<Process, "end">,
  ): Promise<ProcessResult> {
    const options = { ...process, generation, droppedSync: this.#droppedSync };
    return runProcess(diskState, this.#scenario, options);
  }

  /**
   * Runs another process after those processes, and cuts the power as each of
   * the choices says; gives the first outcome that is wrong.
   */
  async cut(
    processes: readonly Process[],
    last: Omit<Process, "end">,
    choices: readonly CrashChoice[],
  ): Promise<(Outcome & Pick<ProcessResult, "trace">) | undefined> {
    const generation = processes.length;
    const result = await this.runProcess(
      await this.runAll(processes),
      generation,
      last,
    );
    for (const end of choices) {
      const wrong = await this.#checkDisk(stateAfter(result, end));
      if (wrong.length === 0) continue;
      const history = {
        scenario: this.#scenario,
        processes: [...processes, { ...last, end }],
      };
      return { history, wrong, trace: result.trace };
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

  async #checkDisk(diskState: DiskState): Promise<readonly string[]> {
    this.#images++;
    // The expectations count, too: the same disk may be right for fewer.
    const key = `${diskState.expectations.fingerprint} ${
      digest(diskState.disk)
    }`;
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    return await checkDisk(diskState);
  }
}
