/**
 * Simulated processes on one disk, one after the other, each of which ends in a
 * kill or a power cut; and the check of a store that opens after the last.
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
import { Expectations } from "./expectations.ts";
import { ScheduledFileSystem, type Step } from "./scheduled_file_system.ts";
import { recover, recoverReadOnly } from "./recovery.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { StoreClient } from "./store_client.ts";
import { withoutRandom } from "./sync_sites.ts";

/** A simulated process: its order of work, and its end. */
export interface Process {
  /** Decides the order of the operations that are under way at a time. */
  readonly schedule: number;
  /** How many operations take effect before it ends; all when left out. */
  readonly steps?: number;
  /** A kill keeps all that was written: it is in the kernel's page cache. */
  readonly end: CrashChoice | "kill";
}

/**
 * The history of a disk. The first process does the work of the scenario; each
 * later one acts as a node that restarts: it restores, and takes a snapshot.
 */
export interface History {
  readonly scenario: string;
  readonly processes: readonly Process[];
}

/** A disk, and the snapshots that a store must find on it. */
export interface DiskState {
  readonly disk: MemoryFileSystem;
  readonly expectations: Expectations;
}

/** The disk at the end of a process, and the operations of the process. */
export interface ProcessResult extends DiskState {
  readonly trace: readonly Step[];
  /** The names of its syncs. */
  readonly syncs: ReadonlySet<string>;
}

/** Keeps everything that was written, and makes it durable. */
const ALL_KEPT = { seed: 0, keptPercent: 100, renames: "atomic" } as const;

const initialStates = new Map<string, Promise<DiskState>>();

function findScenario(name: string): Scenario {
  const scenario = scenarios.find((scenario) => scenario.name === name);
  if (scenario !== undefined) return scenario;
  throw new RangeError(`Cannot run the scenario ${name}: there is none`);
}

async function prepare({ prepare }: Scenario): Promise<DiskState> {
  const disk = new MemoryFileSystem();
  const expectations = new Expectations();
  await prepare?.(new StoreClient(disk, expectations), disk);
  return { disk, expectations };
}

/** The disk that a scenario starts with. */
export async function initialState(name: string): Promise<DiskState> {
  let prepared = initialStates.get(name);
  if (prepared === undefined) {
    prepared = prepare(findScenario(name));
    initialStates.set(name, prepared);
  }
  const { disk, expectations } = await prepared;
  return { disk: disk.crashImage(ALL_KEPT), expectations: expectations.copy() };
}

/** Acts as a node that restarts. */
async function restartNode(client: StoreClient): Promise<void> {
  const store = await client.open();
  await client.restore(store);
  await client.take(store, { index: 2, size: 6000 });
  await store.close();
}

/** A process, and where it stands in its history. */
export interface ProcessOptions extends Omit<Process, "end"> {
  /** How many processes there were before it on the disk. */
  readonly generation: number;
  /** A sync that is left out; see {@linkcode ScheduledFileSystem}. */
  readonly droppedSync?: string | undefined;
}

/** Runs a process on the disk until it is stopped or has done its work. */
export async function runProcess(
  { disk, expectations: before }: DiskState,
  scenario: string,
  { generation, schedule, steps, droppedSync }: ProcessOptions,
): Promise<ProcessResult> {
  const expectations = before.copy();
  const scheduled = new ScheduledFileSystem(disk, {
    schedule,
    droppedSync,
    ...(steps === undefined ? {} : { stepsMax: steps }),
    onStop: () => expectations.freeze(),
  });
  const client = new StoreClient(scheduled, expectations, generation);
  try {
    if (generation > 0) await restartNode(client);
    else await findScenario(scenario).run(client, disk);
  } catch (error) {
    // A process that was stopped may fail: all its operations are rejected.
    if (!scheduled.stopped) throw error;
  }
  return { disk, expectations, trace: scheduled.trace, syncs: scheduled.syncs };
}

/** The disk after a process has ended in that way. */
export function stateAfter(
  { disk, expectations }: DiskState,
  end: Process["end"],
): DiskState {
  return { disk: end === "kill" ? disk : disk.crashImage(end), expectations };
}

/** A short text that stands for all that is on a disk. */
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

/**
 * Opens the store, first to read only, then twice to write; gives the violations
 * that it finds. None when all is well.
 */
export async function checkDisk(
  { disk, expectations }: DiskState,
): Promise<string[]> {
  try {
    const seen = await recoverReadOnly(disk);
    const wrong = [
      ...violationsForGo(disk, expectations),
      ...partsWithoutMark(disk.tree()),
    ];
    if (seen !== undefined) {
      wrong.push(
        ...violationsForReader(seen.found, seen.corrupt, expectations),
      );
    }
    const found = await recover(disk);
    wrong.push(...violations(found, disk.tree(), expectations));
    wrong.push(
      ...await archiveViolations(expectations, (path) => readIn(disk, path)),
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

/** Repeats a history; gives the violations in the end. */
export async function replay(
  { scenario, processes }: History,
): Promise<{ wrong: string[]; traces: (readonly Step[])[] }> {
  let diskState = await initialState(scenario);
  const traces: (readonly Step[])[] = [];
  for (const [generation, process] of processes.entries()) {
    const result = await runProcess(diskState, scenario, {
      generation,
      ...process,
    });
    traces.push(result.trace);
    diskState = stateAfter(result, process.end);
  }
  return { wrong: await checkDisk(diskState), traces };
}
