/** The steps of the demo. Each is an ordinary user of the library. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  openFileSnapshotStore,
  type SnapshotMeta,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import {
  formatCount,
  formatDuration,
  formatRate,
  formatSize,
} from "../../src/cli/format.ts";
import { startProgress } from "../../src/cli/progress.ts";
import type { StateMachine } from "./state_machine.ts";
import { bad, good, note, showSnapshots, title } from "./screen.ts";

/** The paths that a step uses, and the state machine. */
export interface DemoSetup {
  /** The store's directory. */
  readonly directory: string;
  /** A file with the digest that each restored state must have. */
  readonly digestsPath: string;
  readonly machine: StateMachine;
}

/** The state's digest, by snapshot ID. */
type Digests = Readonly<Record<string, string>>;

const CONFIGURATION = {
  servers: [
    { suffrage: "voter", id: "a", address: "10.0.0.1:7000" },
    { suffrage: "voter", id: "b", address: "10.0.0.2:7000" },
    { suffrage: "voter", id: "c", address: "10.0.0.3:7000" },
  ],
} as const;

/** A running Raft node, which takes two snapshots as its state changes. */
export async function takeSnapshots(setup: DemoSetup): Promise<void> {
  title(`1. Process ${process.pid} takes two snapshots`);
  const store = await openFileSnapshotStore(setup.directory);
  const digests: Record<string, string> = {};
  for (let i = 0; i < 2; i++) {
    good(await setup.machine.advance());
    const meta = await takeSnapshot(store, setup.machine);
    digests[meta.id] = await setup.machine.digest();
  }
  await store.close();
  await writeFile(setup.digestsPath, JSON.stringify(digests));
  await showSnapshots(join(setup.directory, "snapshots"));
}

async function takeSnapshot(
  store: SnapshotStore,
  machine: StateMachine,
): Promise<SnapshotMeta> {
  const startMs = performance.now();
  const sink = await store.create({
    index: machine.index,
    term: 3n,
    configuration: CONFIGURATION,
    configurationIndex: 1n,
  });
  const total = machine.sizeBytes;
  await pipe("Writing", machine.snapshot(), { target: sink, total });
  good(
    `snapshot of ${machine.summary} at index ${formatCount(machine.index)}: ` +
      speed(sink.meta.size, startMs) + ", safe on the disk",
  );
  return sink.meta;
}

/** A restart: the newest snapshot, chosen and opened by hand. */
export async function restart(setup: DemoSetup): Promise<void> {
  title(`2. Process ${process.pid} starts, and restores the newest`);
  const store = await openFileSnapshotStore(setup.directory);
  const snapshots = await store.list();
  for (const [i, { index, size, id }] of snapshots.entries()) {
    const place = i === 0 ? "newest" : "older ";
    note(`${place}  index ${formatCount(index)}  ${formatSize(size)}  ${id}`);
  }
  const [newest] = snapshots;
  if (newest === undefined) throw new Error("Cannot restart: no snapshot");
  const startMs = performance.now();
  const source = await store.open(newest.id, { reuseBuffers: true });
  await restoreFrom(source, setup.machine);
  good(`restored ${setup.machine.summary}: ${speed(newest.size, startMs)}`);
  await compare(setup, newest);
  await store.close();
}

/** A restart that does not know that the newest snapshot is damaged. */
export async function restartAfterDamage(setup: DemoSetup): Promise<void> {
  title(`4. Process ${process.pid} starts, and restores a good snapshot`);
  const store = await openFileSnapshotStore(setup.directory, {
    logger: { debug() {}, info() {}, warn: bad, error: bad },
  });
  const [newest] = await store.list();
  const startMs = performance.now();
  const restored = await store.restore(
    (source) => restoreFrom(source, setup.machine),
    { reuseBuffers: true },
  );
  if (newest === undefined || restored === undefined) {
    throw new Error("Cannot restart: no snapshot");
  }
  const { meta } = restored;
  good(
    `fell back to index ${formatCount(meta.index)}: restored ` +
      `${setup.machine.summary}, ${speed(meta.size, startMs)}`,
  );
  await compare(setup, meta);
  good(
    `Raft replays the ${formatCount(newest.index - meta.index)} log ` +
      "entries since then: nothing is lost",
  );
  await store.close();
  await showSnapshots(join(setup.directory, "snapshots"));
}

async function restoreFrom(
  source: SnapshotSource,
  machine: StateMachine,
): Promise<void> {
  const total = source.meta.size;
  await pipe("Restoring", source, { target: machine.restore(), total });
}

async function compare(setup: DemoSetup, meta: SnapshotMeta): Promise<void> {
  const digests = JSON.parse(
    await readFile(setup.digestsPath, "utf8"),
  ) as Digests;
  const found = await setup.machine.digest();
  const expected = digests[meta.id];
  if (found !== expected) {
    throw new Error(
      `Cannot accept the restored state: found SHA-256 ${found}, ` +
        `expected ${expected}`,
    );
  }
  good(`the state is equal to the saved one: SHA-256 ${found.slice(0, 16)}…`);
}

/**
 * `pipeTo()`, with a progress bar. It is done with each chunk before it asks for
 * the next one, so that the buffers of chunks can be reused.
 */
async function pipe(
  label: string,
  stream: ReadableStream<Uint8Array>,
  to: {
    readonly target: WritableStream<Uint8Array>;
    readonly total: number | undefined;
  },
): Promise<void> {
  const progress = startProgress(label);
  const writer = to.target.getWriter();
  let done = 0;
  try {
    for await (const chunk of stream) {
      await writer.write(chunk);
      progress.update(done += chunk.length, to.total);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  } finally {
    progress.stop();
  }
}

function speed(bytes: number, startMs: number): string {
  const ms = performance.now() - startMs;
  const rate = formatRate(bytes * 1000 / ms);
  return `${formatSize(bytes)} in ${formatDuration(ms)}, ${rate}`;
}

/** The steps by name. Each runs in a process of its own. */
export const STEPS = { takeSnapshots, restart, restartAfterDamage } as const;

/** The name of a step. */
export type StepName = keyof typeof STEPS;
