/**
 * The lives of processes on one disk, one after the other, each of which ends
 * in a kill or a power cut; and what a store finds in the end.
 *
 * @module
 */

import { crc64 } from "@raft/snapshots/crc64";
import { type CrashChoice, MemoryFileSystem } from "@raft/snapshots/testing";
import {
  archiveViolations,
  partsWithoutMark,
  violations,
  violationsForGo,
  violationsForReader,
} from "./invariants.ts";
import { Ledger } from "./expectations.ts";
import { Machine, type Step } from "./scheduled_file_system.ts";
import { look, recover } from "./recovery.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { Stage } from "./store_client.ts";
import { withoutRandom } from "./sync_sites.ts";

/** How a process lived, and what ended it. */
export interface Life {
  /** Decides the order of the operations that are under way at a time. */
  readonly schedule: number;
  /** How many operations took effect before it ended; all when left out. */
  readonly steps?: number;
  /** A kill leaves what was written in the page cache, where others see it. */
  readonly end: CrashChoice | "kill";
}

/**
 * What happened to a disk. The first process lived through the scenario; each
 * later one started again as a node does: it restored, and took a snapshot.
 */
export interface History {
  readonly scenario: string;
  readonly lives: readonly Life[];
}

/** A disk, and what was promised about it. */
export interface Moment {
  readonly disk: MemoryFileSystem;
  readonly ledger: Ledger;
}

/** A process that has ended. */
export interface Ended extends Moment {
  readonly trace: readonly Step[];
  /** The names of the syncs that there were. */
  readonly syncs: ReadonlySet<string>;
}

/** Everything that was written, as though it had always been there. */
const ALL_KEPT = { seed: 0, keptPercent: 100, renames: "atomic" } as const;

const beginnings = new Map<string, Promise<Moment>>();

function findScenario(name: string): Scenario {
  const scenario = scenarios.find((scenario) => scenario.name === name);
  if (scenario !== undefined) return scenario;
  throw new RangeError(`Cannot run the scenario ${name}: there is none`);
}

async function prepare({ prepare }: Scenario): Promise<Moment> {
  const disk = new MemoryFileSystem();
  const ledger = new Ledger();
  await prepare?.(new Stage(disk, ledger), disk);
  return { disk, ledger };
}

/** The disk that a scenario begins with. */
export async function beginning(name: string): Promise<Moment> {
  let prepared = beginnings.get(name);
  if (prepared === undefined) {
    prepared = prepare(findScenario(name));
    beginnings.set(name, prepared);
  }
  const { disk, ledger } = await prepared;
  return { disk: disk.crashImage(ALL_KEPT), ledger: ledger.copy() };
}

/** What a node does when it starts again. */
async function startAgain(stage: Stage): Promise<void> {
  const store = await stage.open();
  await stage.restore(store);
  await stage.take(store, { index: 2, size: 6000 });
  await store.close();
}

/** How a process is to live. */
export interface LifeOptions extends Omit<Life, "end"> {
  /** How many processes there were before it on the disk. */
  readonly generation: number;
  /** A sync that is left out; see {@linkcode Machine}. */
  readonly droppedSync?: string | undefined;
}

/** Lets a process live on the disk until it is stopped or has done its work. */
export async function live(
  { disk, ledger: before }: Moment,
  scenario: string,
  { generation, schedule, steps, droppedSync }: LifeOptions,
): Promise<Ended> {
  const ledger = before.copy();
  const machine = new Machine(disk, {
    schedule,
    droppedSync,
    ...(steps === undefined ? {} : { stepsMax: steps }),
    onStop: () => ledger.freeze(),
  });
  const stage = new Stage(machine, ledger, generation);
  try {
    if (generation > 0) await startAgain(stage);
    else await findScenario(scenario).run(stage, disk);
  } catch (error) {
    // Whoever has no power any more may complain.
    if (!machine.stopped) throw error;
  }
  return { disk, ledger, trace: machine.trace, syncs: machine.syncs };
}

/** The disk as it is found after a process has ended in that way. */
export function after({ disk, ledger }: Moment, end: Life["end"]): Moment {
  return { disk: end === "kill" ? disk : disk.crashImage(end), ledger };
}

/** All that is on a disk, in short. */
export function digest(disk: MemoryFileSystem): string {
  return disk.tree().map((path) =>
    path.endsWith("/")
      ? path
      : `${withoutRandom(path)}=${crc64(disk.readFile(path))}`
  ).join();
}

function readIn(
  disk: MemoryFileSystem,
  path: string,
): Promise<Uint8Array | undefined> {
  const found = disk.tree().includes(path) ? disk.readFile(path) : undefined;
  return Promise.resolve(found);
}

/** Starts a store on the disk, twice; tells what is wrong with what it finds. */
export async function judge({ disk, ledger }: Moment): Promise<string[]> {
  try {
    const seen = await look(disk);
    const wrong = [
      ...violationsForGo(disk, ledger),
      ...partsWithoutMark(disk.tree()),
    ];
    if (seen !== undefined) {
      wrong.push(...violationsForReader(seen.found, seen.corrupt, ledger));
    }
    const found = await recover(disk);
    wrong.push(...violations(found, disk.tree(), ledger));
    wrong.push(
      ...await archiveViolations(ledger, (path) => readIn(disk, path)),
    );
    const before = digest(disk);
    await recover(disk);
    return before === digest(disk)
      ? wrong
      : [...wrong, "a second recovery has changed something"];
  } catch (error) {
    return [`recovery failed: ${error}`];
  }
}

/** Lets it all happen again; tells what is wrong in the end. */
export async function replay(
  { scenario, lives }: History,
): Promise<{ wrong: string[]; traces: (readonly Step[])[] }> {
  let moment = await beginning(scenario);
  const traces: (readonly Step[])[] = [];
  for (const [generation, life] of lives.entries()) {
    const ended = await live(moment, scenario, { generation, ...life });
    traces.push(ended.trace);
    moment = after(ended, life.end);
  }
  return { wrong: await judge(moment), traces };
}
