/**
 * The traps of Go's store that its users have fallen into, each of them closed
 * here. The topics have files of their own; this is the list, first part.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  SnapshotCorruptError,
  SnapshotPublishError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn, MemoryFileSystem } from "@raft/snapshots/testing";
import {
  decode,
  encode,
  INIT,
  listIds,
  load,
  save,
  StoreFixture,
} from "../support/store_fixture.ts";

/** Nothing is left of what was not synced. */
const POWER_CUT = { seed: 1, keptPercent: 0, renames: "atomic" } as const;

/** Puts other text in place of a part of a meta.json, as Go would leave it. */
async function editMeta(
  fixture: StoreFixture,
  id: string,
  [from, to]: readonly [RegExp | string, string],
): Promise<void> {
  const text = decode(fixture.read(id, "meta.json"));
  assert.notEqual(text.replace(from, to), text);
  fixture.write(id, "meta.json", text.replace(from, to));
  await fixture.unseal(id);
}

/** Copies a snapshot's directory to another name. */
function copySnapshot(fixture: StoreFixture, from: string, to: string): void {
  for (const part of ["meta.json", "state.bin"]) {
    fixture.write(to, part, fixture.read(from, part));
  }
}

describe("trap 1: reaping goes by the directory's name, never by meta.json", () => {
  for (const id of ["", "../victim", "..", ".", "9-9-9"]) {
    it(`also when that says ${JSON.stringify(id)}`, async () => {
      const fixture = new StoreFixture();
      fixture.disk.writeFile("/data/victim/file", encode("precious"));
      const before = await fixture.open();
      const bad = await save(before, "bad", { index: 1 });
      await before.close();
      if (id === "") fixture.write(bad, "meta.json", "{}");
      else await editMeta(fixture, bad, [/"ID":"[^"]*"/, `"ID":"${id}"`]);
      const store = await fixture.open({ retain: 1 });
      const ids = [];
      for (const index of [2, 3, 4]) ids.push(await save(store, "", { index }));
      await store.reap();
      assert.deepEqual(fixture.names(), [bad, ids[2]].sort());
      assert.equal(
        decode(fixture.disk.readFile("/data/victim/file")),
        "precious",
      );
      await store.close();
    });
  }

  it("also when it was copied from another snapshot", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    const original = await save(store, "original", { index: 9 });
    copySnapshot(fixture, original, "3-8-1");
    copySnapshot(fixture, original, "3-99-1");
    await store.reap();
    await save(store, "older", { index: 1 });
    assert.equal(await load(store, original), "original");
    await store.close();
  });
});

describe("trap 2: open() takes IDs only, and checks what it opens", () => {
  it("does not open what is outside", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    for (const part of ["meta.json", "state.bin"]) {
      fixture.disk.writeFile(`/data/outside/${part}`, fixture.read(id, part));
    }
    for (const path of ["../outside", `../snapshots/${id}`, `./${id}`]) {
      await assert.rejects(store.open(path), InvalidSnapshotIdError);
    }
    await store.close();
  });

  it("refuses an unknown version, another's ID, and a wrong size", async () => {
    const edits = [
      [['"Version":1', '"Version":2'], UnsupportedSnapshotVersionError],
      [['"Version":1', '"Version":-1'], UnsupportedSnapshotVersionError],
      [[/"ID":"3-10-/, '"ID":"3-11-'], SnapshotCorruptError],
      [['"Index":10', '"Index":11'], SnapshotCorruptError],
      [['"Term":3', '"Term":4'], SnapshotCorruptError],
      [['"Size":5', '"Size":4'], SnapshotCorruptError],
      [['"Size":5', '"Size":6'], SnapshotCorruptError],
      [['"Size":5', '"Size":-1'], SnapshotCorruptError],
    ] as const;
    for (const [edit, expected] of edits) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const id = await save(store, "state");
      await editMeta(fixture, id, edit);
      await assert.rejects(store.open(id), expected, String(edit));
      assert.deepEqual(await store.list(), []);
      await store.close();
    }
  });
});

describe("trap 3: leftovers of a higher term do not evict the new snapshot", () => {
  it("which Raft has deleted its log for", async () => {
    for (const retain of [1, 2]) {
      const fixture = new StoreFixture();
      const before = await fixture.open({ retain: 5 });
      for (const index of [1, 2, 3]) {
        await save(before, "", { term: 9n, index });
      }
      await before.close();
      const store = await fixture.open({ retain });
      const id = await save(store, "acknowledged", { term: 3n });
      await store.reap();
      assert.equal(await load(store, id), "acknowledged");
      await store.close();
    }
  });
});

describe("trap 4: what has failed or been cancelled stays so", () => {
  it("for every later close()", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("sync", "EIO", { times: 1 }));
    const failed = await store.create(INIT);
    const cancelled = await store.create(INIT);
    await cancelled.cancel();
    for (let i = 0; i < 3; i++) {
      await assert.rejects(failed.close(), SnapshotPublishError);
      await assert.rejects(cancelled.close(), SnapshotPublishError);
    }
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("and a write after the end is refused", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sinks = [await store.create(INIT), await store.create(INIT)];
    const writers = sinks.map((sink) => sink.getWriter());
    await writers[0]?.close();
    await sinks[1]?.cancel();
    for (const writer of writers) {
      // Node 20 throws here what newer ones reject with.
      await assert.rejects(async () => await writer.write(encode("late")));
    }
    await store.close();
  });
});

describe("trap 5: two sinks of one millisecond", () => {
  it("have a directory each, and both are right", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1000 });
    const sinks = await Promise.all([store.create(INIT), store.create(INIT)]);
    const writers = sinks.map((sink) => sink.getWriter());
    for (const half of ["first half of ", "second half of "]) {
      await Promise.all(
        writers.map((writer, i) => writer.write(encode(`${half}${i} `))),
      );
    }
    await Promise.all(writers.map((writer) => writer.close()));
    for (const [i, { id }] of sinks.entries()) {
      const expected = `first half of ${i} second half of ${i} `;
      assert.equal(await load(store, id), expected);
    }
    await store.close();
  });
});

describe("trap 6: a failure after the rename", () => {
  it("is told apart, and trying again does not fill the disk", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(
      failOn("syncDirectory", "EIO", { path: /snapshots$/ }),
    );
    await assert.rejects(save(store, "state"), { published: true });
    for (let i = 0; i < 50; i++) {
      await assert.rejects(save(store, "state"), { code: "EIO" });
    }
    assert.equal(fixture.names().length, 1);
    await store.close();
  });

  it("of the reap is no failure of the close", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    await save(store, "old", { index: 1 });
    for (const name of ["readDirectory", "stat", "rename"] as const) {
      const sink = await store.create(INIT);
      fixture.files.inject(failOn(name, "EIO", { path: /snapshots$|deleted/ }));
      await sink.close();
      fixture.files.inject();
      assert.ok((await listIds(store)).includes(sink.id));
    }
    await store.close();
  });
});

describe("trap 7: a failed create, close or cancel", () => {
  it("leaves no directory and no open file", async () => {
    for (const name of ["open", "write", "sync", "close"] as const) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      for (let i = 0; i < 5; i++) {
        fixture.files.inject(failOn(name, "EIO", { times: 1 }));
        await assert.rejects(save(store, "state"));
        const sink = await store.create(INIT);
        fixture.files.inject(failOn(name, "EIO", { times: 1 }));
        await sink.cancel();
      }
      assert.deepEqual(fixture.names(), [], name);
      assert.equal(fixture.files.openHandles, 0, name);
      await store.close();
    }
  });

  it("that was cut off by a crash is swept at the next start", async () => {
    const disk = new MemoryFileSystem();
    const store = await new StoreFixture(disk).open();
    await (await store.create(INIT)).getWriter().write(encode("half"));
    const left = disk.crash({ ...POWER_CUT, keptPercent: 100 });
    const fixture = new StoreFixture(left);
    assert.equal(fixture.names().length, 1);
    await (await fixture.open()).close();
    assert.deepEqual(fixture.names(), []);
  });
});

describe("trap 8: a power cut", () => {
  it("after close() finds the whole snapshot, and its parents", async () => {
    const disk = new MemoryFileSystem();
    const store = await new StoreFixture(disk).open();
    const id = await save(store, "state");
    const after = await new StoreFixture(disk.crash(POWER_CUT)).open();
    assert.equal(await load(after, id), "state");
    await after.close();
  });

  it("after delete() finds nothing of the snapshot under its name", async () => {
    const disk = new MemoryFileSystem();
    const fixture = new StoreFixture(disk);
    const store = await fixture.open();
    const id = await save(store, "state");
    await store.delete(id);
    const left = new StoreFixture(disk.crash(POWER_CUT));
    assert.ok(!left.names().includes(id));
  });
});
