/** A store is used where not one block is free: to restore, and to make room. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import {
  openFileSnapshotStore,
  type SnapshotStore,
  StoreAccessError,
  StoreLockedError,
} from "@raft/snapshots";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  fill,
  makeRoom,
  onSmallDisk,
  SMALL_DISKS,
  whyNoSmallDisk,
} from "./small_disks.ts";

const HOLDER = new URL("./lock_holder.ts", import.meta.url);

const init = {
  term: 1n,
  configuration: { servers: [] },
  configurationIndex: 1n,
} as const;

/** Opens the store in a process that is killed; gives its output. */
async function killHolder(
  disk: string,
  whileHeld: () => Promise<void>,
): Promise<void> {
  const child = runtime.spawnScript(HOLDER, [disk], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  try {
    assert.ok(child.stdout !== null);
    const lines = createInterface({ input: child.stdout });
    const { value } = await lines[Symbol.asyncIterator]().next();
    assert.equal(value, "open", "the store was not opened");
    await whileHeld();
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
}

/** A store of some snapshots. */
async function openFilled(disk: string): Promise<SnapshotStore> {
  const store = await openFileSnapshotStore(disk, { retain: 5 });
  for (const index of [1n, 2n, 3n, 4n]) {
    const sink = await store.create({ index, ...init });
    await new Blob(["state"]).stream().pipeTo(sink);
  }
  return store;
}

/** Restores the newest. */
async function restore(store: SnapshotStore): Promise<void> {
  const restored = await store.restore(async (source) => {
    assert.equal(await new Response(source).text(), "state");
  });
  assert.equal(restored?.meta.index, 4n);
}

/** All that an operator does there. */
async function restoreAndDelete(store: SnapshotStore): Promise<void> {
  await restore(store);
  const [, second, third] = await store.list();
  await store.delete(second?.id ?? "");
  await store.delete(third?.id ?? "");
  assert.deepEqual((await store.list()).map(({ index }) => index), [4n, 1n]);
}

/** The names that are left of the store. */
async function namesOn(disk: string): Promise<string[]> {
  const names = await readdir(join(disk, "snapshots"));
  return names.filter((name) => !name.startsWith(".lock")).sort();
}

async function openFullDisk(disk: string): Promise<void> {
  await (await openFilled(disk)).close();
  await fill(disk);
  const locked = () =>
    assert.rejects(openFileSnapshotStore(disk), StoreLockedError);
  await killHolder(disk, locked);
  const lockFile = join(disk, "snapshots", ".lock");
  assert.equal((await stat(lockFile)).size, 0, "the disk was not full");
  const store = await openFileSnapshotStore(disk, { retain: 1 });
  await locked();
  await restoreAndDelete(store);
  await store.reap();
  const [newest] = await store.list();
  await store.close();
  assert.deepEqual(await readdir(join(disk, "snapshots")), [newest?.id]);
}

async function emptyStore(disk: string): Promise<void> {
  const store = await openFilled(disk);
  await fill(disk);
  await restoreAndDelete(store);
  const listed = await store.list();
  await store.close();
  const ids = listed.map(({ id }) => id);
  assert.deepEqual(await namesOn(disk), ids.toSorted());
}

async function readFullDisk(disk: string): Promise<void> {
  await (await openFilled(disk)).close();
  await fill(disk);
  await assert.rejects(openFileSnapshotStore(disk), (error) => {
    assert.ok(error instanceof StoreAccessError);
    const { systemCode = "" } = error;
    assert.ok(["ENOSPC", "EDQUOT"].includes(systemCode), systemCode);
    assert.match(error.message, /readOnly/);
    return true;
  });
  await restore(await openFileSnapshotStore(disk, { readOnly: true }));
}

describe("a store on a full disk", () => {
  for (const [name, kind] of Object.entries(SMALL_DISKS)) {
    const skip = whyNoSmallDisk(kind);

    it(`that was open before can be restored and emptied on ${name}`, {
      skip,
    }, async (t) => {
      const directory = await temporaryDirectory(t);
      await onSmallDisk(directory, kind, emptyStore);
    });

    if (kind.hasRoomForNames) {
      it(
        `can be locked, restored, emptied and taken over from a dead process on ${name}`,
        {
          skip,
        },
        async (t) => {
          const directory = await temporaryDirectory(t);
          await onSmallDisk(directory, kind, openFullDisk);
        },
      );
    } else {
      it(`can be read, and be opened once there is room, on ${name}`, {
        skip,
      }, async (t) => {
        const directory = await temporaryDirectory(t);
        await onSmallDisk(directory, kind, async (disk) => {
          await readFullDisk(disk);
          await makeRoom(disk);
          await (await openFileSnapshotStore(disk)).close();
        });
      });
    }
  }
});
