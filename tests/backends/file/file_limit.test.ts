/**
 * How many files a store has open while it reads the metadata of its snapshots,
 * and what happens when the process has fewer descriptors than that.
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import {
  type FileHandle,
  openFileSnapshotStore,
  type OpenMode,
  StoreAccessError,
} from "@raft/snapshots";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { BASE, Log, StoreFixture } from "../../support/store_fixture.ts";

/** A disk on which only so many files can be open at a time. */
class FewDescriptors extends MemoryFileSystem {
  /** How many more files can be opened. */
  left = Infinity;
  #open = 0;
  /** The most files that were open at a time. */
  openMax = 0;

  override async open(
    path: string,
    how: OpenMode,
    mode?: number,
  ): Promise<FileHandle> {
    if (this.left === 0) {
      throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
    }
    this.left--;
    this.openMax = Math.max(this.openMax, ++this.#open);
    // Other tasks run meanwhile, as they do with a real disk.
    await setImmediate();
    const handle = await super.open(path, how, mode);
    return {
      stat: () => handle.stat(),
      read: (...args) => handle.read(...args),
      write: (...args) => handle.write(...args),
      sync: () => handle.sync(),
      close: async () => {
        await handle.close();
        this.left++;
        this.#open--;
      },
    };
  }
}

/** A store of 40 snapshots that is only read. */
async function setUp() {
  const disk = new FewDescriptors();
  const fixture = new StoreFixture(disk);
  const ids = await fixture.prepare(
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  const log = new Log();
  const store = await openFileSnapshotStore(BASE, {
    fileSystem: disk,
    logger: log,
    readOnly: true,
  });
  disk.openMax = 0;
  return { disk, ids: ids.toReversed(), log, store };
}

describe("a store that reads the metadata of its snapshots", () => {
  it("has at most 16 files open, however many calls there are", async () => {
    const { disk, ids, store } = await setUp();
    const lists = await Promise.all(
      Array.from({ length: 5 }, () => store.list()),
    );
    for (const list of lists) assert.deepEqual(list.map(({ id }) => id), ids);
    assert.equal(disk.openMax, 16);
    await store.close();
  });

  it("still lists every snapshot with fewer descriptors", async () => {
    for (const left of [1, 2, 5, 15]) {
      const { disk, ids, log, store } = await setUp();
      disk.left = left;
      const [first, second] = await Promise.all([store.list(), store.list()]);
      assert.deepEqual(first?.map(({ id }) => id), ids, `${left} descriptors`);
      assert.deepEqual(second?.map(({ id }) => id), ids);
      assert.deepEqual(log.lines, []);
      assert.equal(disk.left, left, "all files are closed");
      await store.close();
    }
  });

  it("rejects when there is no descriptor left, and works again later", async () => {
    const { disk, ids, store } = await setUp();
    disk.left = 0;
    await assert.rejects(store.list(), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.equal(error.systemCode, "EMFILE");
      return true;
    });
    disk.left = Infinity;
    disk.openMax = 0;
    assert.deepEqual((await store.list()).map(({ id }) => id), ids);
    assert.equal(disk.openMax, 16, "fewer than before is not for good");
    await store.close();
  });
});
