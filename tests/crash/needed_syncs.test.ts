import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isFullRun, report } from "../support/full_run.ts";
import { random } from "../support/random.ts";
import { cuts, Explorer } from "./explore.ts";
import type { Life } from "./simulation.ts";
import type { Step } from "./scheduled_file_system.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/** One schedule will do: every moment is tried. */
const SCHEDULE = 1;

const READS = new Set([
  "stat",
  "statHandle",
  "read",
  "readDirectory",
  "holdDirectory",
  "close",
]);

/** The moments at which the disk is another than before; the last one first. */
function moments(trace: readonly Step[]): number[] {
  const changed = [...trace.keys()].filter((steps) =>
    steps === 0 || !READS.has(trace[steps - 1]?.name ?? "")
  );
  return [trace.length, ...changed.reverse()];
}

/** After these a process that is killed leaves the most to its successor. */
const LEAVES_MOST = /where there is no|^deletes$|corrupt .* can't be renamed/;
const KILLED = isFullRun
  ? scenarios
  : scenarios.filter(({ name }) => LEAVES_MOST.test(name));

/** A first process that is killed, at every moment; or none. */
async function firstLives(scenario: Scenario): Promise<Life[][]> {
  const explorer = new Explorer(scenario.name);
  const { trace } = await explorer.live(await explorer.lived([]), 0, {
    schedule: SCHEDULE,
  });
  const killed = moments(trace).map((steps): Life[] => [
    { schedule: SCHEDULE, steps, end: "kill" },
  ]);
  return [[], ...KILLED.includes(scenario) ? killed : []];
}

/** Runs that have a power cut at their end, by the syncs that they do. */
interface Run {
  readonly scenario: string;
  readonly lives: readonly Life[];
}

/** Every sync that the store does anywhere, and the runs in which it does. */
async function findSyncs(): Promise<Map<string, Run[]>> {
  const found = new Map<string, Run[]>();
  for (const scenario of scenarios) {
    const explorer = new Explorer(scenario.name);
    for (const lives of await firstLives(scenario)) {
      const moment = await explorer.lived(lives);
      const options = { schedule: SCHEDULE };
      const { syncs } = await explorer.live(moment, lives.length, options);
      for (const sync of syncs) {
        found.set(sync, [...found.get(sync) ?? [], {
          scenario: scenario.name,
          lives,
        }]);
      }
    }
  }
  return found;
}

/**
 * How many seeds of each kind of power cut there are at one moment; the larger
 * number is for what the smaller one has not shown.
 */
const SEEDS = [1, 20];

/** Whether a power cut in the run shows that the sync was left out. */
async function isMissed(
  { scenario, lives }: Run,
  droppedSync: string,
  seeds: number,
): Promise<boolean> {
  const explorer = new Explorer(scenario, { droppedSync });
  const moment = await explorer.lived(lives);
  const options = { schedule: SCHEDULE };
  const { trace } = await explorer.live(moment, lives.length, options);
  for (const steps of moments(trace)) {
    const last = { schedule: SCHEDULE, steps };
    const choices = cuts(random(steps), seeds);
    if (await explorer.cut(lives, last, choices)) return true;
  }
  return false;
}

/** Whether any of the runs shows it. */
async function isNeeded(sync: string, runs: readonly Run[]): Promise<boolean> {
  for (const seeds of SEEDS) {
    for (const run of runs) {
      if (await isMissed(run, sync, seeds)) return true;
    }
  }
  return false;
}

describe("the syncs", () => {
  it("are all needed: without any one of them a power cut does harm", async () => {
    const syncs = await findSyncs();
    const needless: string[] = [];
    for (const [sync, runs] of syncs) {
      if (!await isNeeded(sync, runs)) needless.push(sync);
    }
    assert.deepEqual(needless, []);
    report("syncs left out, all noticed", syncs.size);
  });

  it("include both of export: the archive's, and its directory's", async () => {
    const found = [...(await findSyncs()).keys()];
    const temporary = "/srv/backup.snap.<random>.tmp";
    assert.deepEqual(found.filter((sync) => sync.includes("backup.snap")), [
      `sync ${temporary}`,
      `syncDirectory /srv after rename ${temporary} /srv/backup.snap`,
    ]);
  });
});
