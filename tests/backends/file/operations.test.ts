/**
 * Which operations on the file system change something, in order. It tells a
 * sync that has moved from one that is lost.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OperationName } from "@raft/snapshots/testing";
import { bytes } from "../../support/random.ts";
import {
  describeOperation,
  INIT,
  save,
  SNAPSHOTS,
  StoreFixture,
  streamOfChunks,
} from "../../support/store_fixture.ts";

/** The operations that make, change, remove or sync something. */
const CHANGES: ReadonlySet<string> = new Set<OperationName>([
  "makeDirectory",
  "write",
  "sync",
  "syncDirectory",
  "rename",
  "removeFile",
  "removeDirectory",
  "lock",
  "release",
]);

const OLD = "3-10-1";
const NEW = "3-11-2";

/** The paths of files that are opened to be made, not to be read. */
const MADE = /\.tmp\/|\/(deleted|corrupt|permTest)$/;

/** The changes that a call makes. */
async function changesOf(
  fixture: StoreFixture,
  call: () => Promise<unknown>,
): Promise<string[]> {
  const start = fixture.files.trace.length;
  await call();
  return fixture.files.trace.slice(start)
    .filter(({ name, path }) =>
      CHANGES.has(name) || (name === "open" && MADE.test(path))
    )
    .map(describeOperation);
}

/** A directory with two snapshots, of which no store knows anything yet. */
async function twoSnapshots(): Promise<StoreFixture> {
  const fixture = new StoreFixture();
  let now = 0;
  const store = await fixture.open({ clock: () => ++now });
  assert.equal(await save(store, "old", { index: 10 }), OLD);
  assert.equal(await save(store, "new", { index: 11 }), NEW);
  await store.close();
  return fixture;
}

/** The operations that remove a snapshot, in their only right order. */
function removalOf(id: string): string[] {
  return [
    `rename ${id} ${id}.deleted.tmp`,
    `syncDirectory ${SNAPSHOTS}`,
    `removeFile ${id}.deleted.tmp/meta.json`,
    `removeFile ${id}.deleted.tmp/state.bin`,
    `removeFile ${id}.deleted.tmp/blocks.crc64`,
    `removeDirectory ${id}.deleted.tmp`,
  ];
}

describe("the order in which a file store changes the disk", () => {
  it("opening a store makes and syncs each directory, then takes the lock", async () => {
    const fixture = new StoreFixture();
    const changes = await changesOf(fixture, () => fixture.open());
    assert.deepEqual(changes, [
      "syncDirectory /",
      "makeDirectory /data",
      "syncDirectory /",
      "makeDirectory /data/snapshots",
      "syncDirectory /data",
      "lock .lock",
      "removeFile permTest",
      "open permTest",
      "removeFile permTest",
      "syncDirectory /data/snapshots",
    ]);
  });

  it("opening a store that exists syncs its names, and closing it gives the lock up", async () => {
    const fixture = await twoSnapshots();
    const changes = await changesOf(fixture, async () => {
      await (await fixture.open()).close();
    });
    assert.deepEqual(changes, [
      "syncDirectory /data",
      "lock .lock",
      "removeFile permTest",
      "open permTest",
      "removeFile permTest",
      "syncDirectory /data/snapshots",
      "release .lock",
    ]);
  });

  it("a snapshot is written and synced under a temporary name before it is renamed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1, blockSize: 512 });
    const changes = await changesOf(fixture, async () => {
      const sink = await store.create(INIT);
      await streamOfChunks(bytes(1000, 1)).pipeTo(sink);
    });
    assert.deepEqual(changes, [
      `makeDirectory ${OLD}.tmp`,
      `open ${OLD}.tmp/meta.json`,
      `open ${OLD}.tmp/state.bin`,
      `open ${OLD}.tmp/blocks.crc64`,
      `write ${OLD}.tmp/meta.json`,
      `write ${OLD}.tmp/state.bin`,
      `write ${OLD}.tmp/state.bin`,
      `write ${OLD}.tmp/meta.json`,
      `write ${OLD}.tmp/blocks.crc64`,
      `syncDirectory ${OLD}.tmp`,
      `sync ${OLD}.tmp/state.bin`,
      `sync ${OLD}.tmp/meta.json`,
      `sync ${OLD}.tmp/blocks.crc64`,
      `rename ${OLD}.tmp ${OLD}`,
      `syncDirectory ${SNAPSHOTS}`,
    ]);
    await store.close();
  });

  it("a sink that is cancelled loses its name before its files", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1 });
    const sink = await store.create(INIT);
    const changes = await changesOf(fixture, () => sink.cancel());
    assert.deepEqual(changes, [
      `rename ${OLD}.tmp ${OLD}.deleted.tmp`,
      `removeFile ${OLD}.deleted.tmp/meta.json`,
      `removeFile ${OLD}.deleted.tmp/state.bin`,
      `removeFile ${OLD}.deleted.tmp/blocks.crc64`,
      `removeDirectory ${OLD}.deleted.tmp`,
    ]);
    await store.close();
  });

  it("reap() syncs the new name before it removes the files", async () => {
    const fixture = await twoSnapshots();
    const store = await fixture.open({ retain: 1 });
    const changes = await changesOf(fixture, () => store.reap());
    assert.deepEqual(changes, removalOf(OLD));
    await store.close();
  });

  it("delete() syncs the new name before it removes the files", async () => {
    const fixture = await twoSnapshots();
    const store = await fixture.open();
    const changes = await changesOf(fixture, () => store.delete(NEW));
    assert.deepEqual(changes, removalOf(NEW));
    await store.close();
  });

  it("delete() syncs a mark first where directories can't be renamed", async () => {
    const fixture = await twoSnapshots();
    fixture.disk.makeLowerLayer();
    const store = await fixture.open();
    const changes = await changesOf(fixture, () => store.delete(NEW));
    assert.deepEqual(changes, [
      `rename ${NEW} ${NEW}.deleted.tmp`, // which is refused
      `open ${NEW}/deleted`,
      `syncDirectory ${NEW}`,
      `syncDirectory ${SNAPSHOTS}`,
      `removeDirectory ${NEW}`, // which works only when it is empty
      `open ${NEW}/deleted`, // which is there already
      `syncDirectory ${NEW}`,
      `removeFile ${NEW}/meta.json`,
      `syncDirectory ${NEW}`,
      `removeFile ${NEW}/state.bin`,
      `removeFile ${NEW}/blocks.crc64`,
      `syncDirectory ${NEW}`,
      `removeFile ${NEW}/deleted`,
      `removeDirectory ${NEW}`,
    ]);
    await store.close();
  });

  it("seal() syncs the checksums before it renames their file", async () => {
    const fixture = await twoSnapshots();
    await fixture.unseal(OLD);
    const store = await fixture.open();
    const changes = await changesOf(fixture, () => store.seal(OLD));
    assert.deepEqual(changes, [
      `makeDirectory ${OLD}.sealing.tmp`,
      `open ${OLD}.sealing.tmp/blocks.crc64`,
      `write ${OLD}.sealing.tmp/blocks.crc64`,
      `sync ${OLD}.sealing.tmp/blocks.crc64`,
      `rename ${OLD}.sealing.tmp/blocks.crc64 ${OLD}/blocks.crc64`,
      `syncDirectory ${OLD}`,
      `removeDirectory ${OLD}.sealing.tmp`,
    ]);
    await store.close();
  });

  it("restore() quarantines a corrupt snapshot with one rename", async () => {
    const fixture = await twoSnapshots();
    fixture.corrupt(NEW);
    const store = await fixture.open();
    const changes = await changesOf(
      fixture,
      () => store.restore((source) => new Response(source).text()),
    );
    assert.deepEqual(changes, [`rename ${NEW} ${NEW}.corrupt.tmp`]);
    await store.close();
  });

  it("restore() quarantines with a mark where directories can't be renamed", async () => {
    const fixture = await twoSnapshots();
    fixture.corrupt(NEW);
    fixture.disk.makeLowerLayer();
    const store = await fixture.open();
    const changes = await changesOf(
      fixture,
      () => store.restore((source) => new Response(source).text()),
    );
    assert.deepEqual(changes, [
      `rename ${NEW} ${NEW}.corrupt.tmp`, // which is refused
      `open ${NEW}/corrupt`,
    ]);
    await store.close();
  });
});
