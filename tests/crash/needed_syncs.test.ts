import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isFullRun, report } from "../support/full_run.ts";
import { random } from "../support/random.ts";
import { cuts, Explorer } from "./explore.ts";
import type { Process } from "./simulation.ts";
import type { Step } from "./scheduled_file_system.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/** One schedule is enough, because the power is cut at every step. */
const SCHEDULE = 1;

const READS = new Set([
  "stat",
  "statHandle",
  "read",
  "readDirectory",
  "holdDirectory",
  "close",
]);

/** The steps after which the disk differs from before; the last one first. */
function changingSteps(trace: readonly Step[]): number[] {
  const changed = [...trace.keys()].filter((steps) =>
    steps === 0 || !READS.has(trace[steps - 1]?.name ?? "")
  );
  return [trace.length, ...changed.reverse()];
}

/** After these a process that is killed leaves the most to its successor. */
const LEAVES_MOST =
  /where there is no|^deletes$|^imports|corrupt .* can't be renamed/;
const KILLED = isFullRun
  ? scenarios
  : scenarios.filter(({ name }) => LEAVES_MOST.test(name));

/** No first process, or one that is killed at any of its steps. */
async function firstProcesses(scenario: Scenario): Promise<Process[][]> {
  const explorer = new Explorer(scenario.name);
  const { trace } = await explorer.runProcess(await explorer.runAll([]), 0, {
    schedule: SCHEDULE,
  });
  const killed = changingSteps(trace).map((steps): Process[] => [
    { schedule: SCHEDULE, steps, end: "kill" },
  ]);
  return [[], ...KILLED.includes(scenario) ? killed : []];
}

/** A scenario, and the processes before the one whose power is cut. */
interface Run {
  readonly scenario: string;
  readonly processes: readonly Process[];
}

/** Every sync that the store does anywhere, and the runs in which it does. */
async function findSyncs(): Promise<Map<string, Run[]>> {
  const found = new Map<string, Run[]>();
  for (const scenario of scenarios) {
    const explorer = new Explorer(scenario.name);
    for (const processes of await firstProcesses(scenario)) {
      const diskState = await explorer.runAll(processes);
      const options = { schedule: SCHEDULE };
      const { syncs } = await explorer.runProcess(
        diskState,
        processes.length,
        options,
      );
      for (const sync of syncs) {
        found.set(sync, [...found.get(sync) ?? [], {
          scenario: scenario.name,
          processes,
        }]);
      }
    }
  }
  return found;
}

/**
 * How many seeds of each kind of power cut are tried at one step; the larger
 * number is for syncs that the smaller one has not shown to be needed.
 */
const SEEDS = [1, 20];

/** Whether a power cut in the run shows that the sync was left out. */
async function isMissed(
  { scenario, processes }: Run,
  droppedSync: string,
  seeds: number,
): Promise<boolean> {
  const explorer = new Explorer(scenario, { droppedSync });
  const diskState = await explorer.runAll(processes);
  const options = { schedule: SCHEDULE };
  const { trace } = await explorer.runProcess(
    diskState,
    processes.length,
    options,
  );
  for (const steps of changingSteps(trace)) {
    const last = { schedule: SCHEDULE, steps };
    const choices = cuts(random(steps), seeds);
    if (await explorer.cut(processes, last, choices)) return true;
  }
  return false;
}

/** Whether any of the runs shows that the sync is needed. */
async function isNeeded(sync: string, runs: readonly Run[]): Promise<boolean> {
  for (const seeds of SEEDS) {
    for (const run of runs) {
      if (await isMissed(run, sync, seeds)) return true;
    }
  }
  return false;
}

describe("the syncs of a store", () => {
  let finding: Promise<Map<string, Run[]>> | undefined;
  const found = () => finding ??= findSyncs();

  it("are all needed: without any one of them a power cut loses data", async () => {
    const syncs = await found();
    const needless: string[] = [];
    for (const [sync, runs] of syncs) {
      if (!await isNeeded(sync, runs)) needless.push(sync);
    }
    assert.deepEqual(needless, []);
    report("syncs left out, all noticed", syncs.size);
  });

  it("include both that export does: of the archive and of its directory", async () => {
    const syncs = [...(await found()).keys()];
    const temporary = "/srv/backup.snap.<random>.tmp";
    assert.deepEqual(syncs.filter((sync) => sync.includes("backup.snap")), [
      `sync ${temporary}`,
      `syncDirectory /srv after rename ${temporary} /srv/backup.snap`,
    ]);
  });
});
