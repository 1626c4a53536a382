import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  openFileSnapshotStore,
  SnapshotError,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import {
  FaultyFileSystem,
  MemoryFileSystem,
  type Operation,
} from "@raft/snapshots/testing";
import { silent } from "../crash/recovery.ts";
import { holdsFor } from "./property.ts";
import { IDS, plant, type Tree, trees } from "./trees.ts";

const BASE = "/some/base";
const SNAPSHOTS = `${BASE}/snapshots`;

/** Does something that may be refused, but only by one of our own errors. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SnapshotError) return undefined;
    throw error;
  }
}

/** Reads a source, and checks the whole state against its metadata. */
async function readWhole(source: SnapshotSource): Promise<void> {
  const bytes: number[] = [];
  for await (const chunk of source) bytes.push(...chunk);
  const state = new Uint8Array(bytes);
  assert.equal(state.length, source.meta.size);
  assert.equal(crc64(state), source.meta.crc);
}

/** Takes a snapshot, which no directory may prevent. */
async function take(store: SnapshotStore): Promise<void> {
  const sink = await store.create({
    index: 2,
    term: 1,
    configuration: { servers: [] },
    configurationIndex: 1,
  });
  await new Blob(["the state"]).stream().pipeTo(sink);
  assert.ok((await store.verify(sink.id)).ok);
}

/** Checks that each listed snapshot is there under its own name. */
async function checkList(
  store: SnapshotStore,
  disk: MemoryFileSystem,
): Promise<void> {
  const found = disk.tree();
  for (const { id, term, index } of await store.list()) {
    assert.ok(found.includes(`${SNAPSHOTS}/${id}/`), id);
    assert.ok(id.startsWith(`${term}-${index}-`), id);
  }
}

/** Asks a store for everything that it can do. */
async function useStore(store: SnapshotStore): Promise<void> {
  for (const id of IDS) {
    await attempt(() => store.verify(id));
    for (const verify of ["auto", "before", "stream"] as const) {
      await attempt(async () => readWhole(await store.open(id, { verify })));
    }
    await attempt(async () =>
      await (await store.open(id, { start: 1, end: 2 })).cancel()
    ).catch((error) => assert.ok(error instanceof RangeError));
    await attempt(() => store.seal(id));
  }
  await attempt(() => store.restore(readWhole));
  await take(store);
  await attempt(() => store.delete("2-1-1"));
  await attempt(() => store.reap());
}

/** Every path that was used is in the store's directory, or leads to it. */
function checkPaths(trace: readonly Operation[]): void {
  for (const { name, path, to = path } of trace) {
    for (const used of [path, to]) {
      assert.doesNotMatch(used, /\/\.\.?(\/|$)|\/\//);
      const leadsThere = `${BASE}/`.startsWith(used) &&
        ["stat", "makeDirectory", "syncDirectory"].includes(name);
      assert.ok(leadsThere || `${used}/`.startsWith(`${SNAPSHOTS}/`), used);
    }
  }
}

const OURS =
  /^((0|[1-9]\d{0,19})-){2}(0|[1-9]\d{0,15})(\.(deleted|sealing|corrupt))?(\.tmp)?$/;

/** Checks that foreign files have not changed. */
async function checkForeign(disk: MemoryFileSystem, tree: Tree) {
  const before = new MemoryFileSystem();
  await plant(before, SNAPSHOTS, tree);
  for (const path of before.tree()) {
    const name = path.slice(SNAPSHOTS.length + 1).split("/")[0] ?? "";
    const isOurs = OURS.test(name) || name === "permTest" ||
      name.startsWith(".lock");
    if (path.endsWith("/") || isOurs) continue;
    assert.deepEqual(disk.readFile(path), before.readFile(path), path);
  }
}

describe("a store in any directory", () => {
  it("throws only its own errors, stays in its directory, and changes no foreign file", () =>
    holdsFor(trees, 150, async (tree) => {
      const disk = new MemoryFileSystem();
      disk.writeFile(`${BASE}/victim/state.bin`, new Uint8Array(3));
      await plant(disk, SNAPSHOTS, tree);
      const files = new FaultyFileSystem(disk);
      const options = { fileSystem: files, logger: silent };
      for (const readOnly of [true, false]) {
        const store = await attempt(() =>
          openFileSnapshotStore(BASE, { ...options, readOnly })
        );
        if (store === undefined) continue;
        await checkList(store, disk);
        if (!readOnly) await useStore(store);
        await store.close();
      }
      assert.equal(files.openHandles, 0);
      checkPaths(files.trace);
      await checkForeign(disk, tree);
      assert.deepEqual(
        disk.readFile(`${BASE}/victim/state.bin`),
        new Uint8Array(3),
      );
    }));
});
