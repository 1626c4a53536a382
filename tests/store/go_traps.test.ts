/**
 * The traps of Go's store that its users have fallen into. Each of them is
 * closed here. Other files test these topics in depth; this one is the list.
 */

import assert from "node:assert/strict";
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  openFileSnapshotStore,
  SnapshotCorruptError,
  SnapshotPublishError,
  StoreLockedError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn, MemoryFileSystem } from "@raft/snapshots/testing";
import { posix } from "../backends/file/hostile_fixture.ts";
import {
  decode,
  encode,
  INIT,
  listIds,
  load,
  Log,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

/** A power cut that keeps nothing that was not synced. */
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

describe("trap 1: reap() removes a directory by its own name, never by the ID in meta.json", () => {
  for (const id of ["", "../victim", "..", ".", "9-9-9"]) {
    it(`removes the right directory when meta.json has the ID ${JSON.stringify(id)}`, async () => {
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

  it("removes the right directory when meta.json was copied from another snapshot", async () => {
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

describe("trap 2: open() takes IDs only, and checks the snapshot that it opens", () => {
  it("rejects IDs that lead outside of the store", async () => {
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

describe("trap 3: old snapshots of a higher term do not evict the new snapshot", () => {
  it("keeps a new snapshot of a lower term, for which Raft has truncated its log", async () => {
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

describe("trap 4: a sink that has failed or was cancelled", () => {
  it("rejects every later close()", async () => {
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

  it("rejects a write after its end", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sinks = [await store.create(INIT), await store.create(INIT)];
    const writers = sinks.map((sink) => sink.getWriter());
    await writers[0]?.close();
    await sinks[1]?.cancel();
    for (const writer of writers) {
      // Node 20 throws an error here that newer ones reject with.
      await assert.rejects(async () => await writer.write(encode("late")));
    }
    await store.close();
  });
});

describe("trap 5: two sinks that are created in one millisecond", () => {
  it("have a directory each, and both hold their own state", async () => {
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
  it("is reported as such, and retries do not fill the disk", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(
      failOn("syncDirectory", "EIO", { path: /snapshots$/ }),
    );
    await assert.rejects(save(store, "state"), { published: true });
    for (let i = 0; i < 50; i++) {
      await assert.rejects(save(store, "state"), { systemCode: "EIO" });
    }
    assert.equal(fixture.names().length, 1);
    await store.close();
  });

  it("in the reap does not make close() fail", async () => {
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
      assert.equal(fixture.openHandles, 0, name);
      await store.close();
    }
  });

  it("is swept at the next start when a crash cut it off", async () => {
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
  it("after close() loses neither the snapshot nor its parent directories", async () => {
    const disk = new MemoryFileSystem();
    const store = await new StoreFixture(disk).open();
    const id = await save(store, "state");
    const after = await new StoreFixture(disk.crash(POWER_CUT)).open();
    assert.equal(await load(after, id), "state");
    await after.close();
  });

  it("after delete() leaves nothing under the snapshot's name", async () => {
    const disk = new MemoryFileSystem();
    const fixture = new StoreFixture(disk);
    const store = await fixture.open();
    const id = await save(store, "state");
    await store.delete(id);
    const left = new StoreFixture(disk.crash(POWER_CUT));
    assert.ok(!left.names().includes(id));
  });
});

describe("trap 9: the bytes that a reader gets are the bytes that were checked", () => {
  it("errors when the state changes between the check and the read", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const id = await save(store, new Uint8Array(5000));
    await fixture.unseal(id); // as Go wrote it: it is read twice
    const source = await store.open(id);
    const path = `${SNAPSHOTS}/${id}/state.bin`;
    fixture.disk.writeFile(path, new Uint8Array(5000).fill(1));
    await assert.rejects(new Response(source).text(), SnapshotCorruptError);
    await store.close();
  });

  it("detects a changed meta.json", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    const text = decode(fixture.read(id, "meta.json"));
    const edits = [
      text.replace("over here", "over hera"),
      text.replace('"ConfigurationIndex":2', '"ConfigurationIndex":3'),
    ];
    for (const edited of edits) {
      assert.notEqual(edited, text);
      fixture.write(id, "meta.json", edited);
      await assert.rejects(store.open(id), { reason: "meta" });
    }
    await store.close();
  });
});

describe("trap 10: retention does not count corrupt snapshots", () => {
  it("so the older good one is kept", async () => {
    const fixture = new StoreFixture();
    const before = await fixture.open({ retain: 5 });
    const good = await save(before, "good", { index: 1 });
    const bad = await save(before, "bad", { index: 2 });
    fixture.corrupt(bad);
    await before.close();
    const store = await fixture.open({ retain: 1 });
    await store.reap();
    assert.equal(await load(store, good), "good");
    const { meta } = await store.restore((it) => new Response(it).text()) ?? {};
    assert.equal(meta?.id, good);
    await store.close();
  });
});

describe("trap 11: the clock", () => {
  it("does not reorder snapshots by going back, nor by growing a digit", async () => {
    const fixture = new StoreFixture();
    const times = [999, 5, 1000, 998];
    const clock = () => times.shift() ?? 0;
    const store = await fixture.open({ retain: 10, clock });
    const ids = [];
    while (times.length > 0) ids.unshift(await save(store, ""));
    assert.deepEqual(await listIds(store), ids);
    const { meta } = await store.restore((it) => new Response(it).text()) ?? {};
    assert.equal(meta?.id, ids[0]);
    await store.close();
  });
});

describe("trap 12: access to the files", () => {
  it("is granted to the owner alone", posix, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger: new Log() });
    const id = await save(store, "secret");
    const path = join(directory, "snapshots", id);
    for (const part of ["", "state.bin", "meta.json", "blocks.crc64"]) {
      const { mode } = await stat(join(path, part));
      assert.equal(mode & 0o077, 0, part);
    }
    await store.close();
  });

  it("is tested with a file that follows no link", posix, async (t) => {
    const directory = await temporaryDirectory(t);
    const options = { logger: new Log() };
    await (await openFileSnapshotStore(directory, options)).close();
    const victim = join(directory, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, join(directory, "snapshots", "permTest"));
    await (await openFileSnapshotStore(directory, options)).close();
    assert.equal(await readFile(victim, "utf8"), "precious");
  });
});

describe("trap 13: a second store on the directory", () => {
  it("is refused with StoreLockedError", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await assert.rejects(fixture.open(), StoreLockedError);
    await store.close();
    await (await fixture.open()).close();
  });
});

describe("trap 14: an empty directory of the final name", () => {
  it("is not silently replaced", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    await fixture.disk.makeDirectory(`${SNAPSHOTS}/${sink.id}`);
    await assert.rejects(sink.close(), { published: false });
    assert.deepEqual(fixture.names(), [sink.id]);
    await store.close();
  });
});

describe("trap 15: Windows", () => {
  it("may refuse to rename an open directory, which is tried again later", async () => {
    for (const code of ["EPERM", "EBUSY", "EACCES"]) {
      const fixture = new StoreFixture();
      const store = await fixture.open({ retain: 1 });
      const old = await save(store, "old", { index: 1 });
      const reader = await store.open(old);
      fixture.files.inject(
        failOn("rename", code, { path: new RegExp(`${old}$`) }),
      );
      const next = await save(store, "next", { index: 2 });
      assert.deepEqual(await listIds(store), [next, old]);
      assert.equal(await new Response(reader).text(), "old");
      fixture.files.inject();
      const last = await save(store, "last", { index: 3 });
      await store.close();
      assert.deepEqual(fixture.names(), [last]);
    }
  });

  it("may refuse to remove an open file, which is tried again later", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    const old = await save(store, "old", { index: 1 });
    fixture.files.inject(failOn("removeFile", "EBUSY", { path: /state\.bin/ }));
    const next = await save(store, "next", { index: 2 });
    assert.deepEqual(await listIds(store), [next]);
    assert.deepEqual(fixture.names(), [`${old}.deleted.tmp`, next].sort());
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), [next]);
    await store.close();
  });

  it("can't sync directories, in several ways, and the store still works", async () => {
    for (const code of ["EPERM", "EISDIR", "EINVAL"]) {
      const fixture = new StoreFixture();
      fixture.files.inject(failOn("syncDirectory", code));
      const store = await fixture.open({ retain: 1 });
      await save(store, "old", { index: 1 });
      const id = await save(store, "new", { index: 2 });
      await store.reap(); // which waits for the one in the background
      assert.deepEqual(fixture.names(), [id]);
      await store.delete(id);
      await store.close();
    }
  });
});

describe("trap 16: one bad entry in snapshots/", () => {
  it("does not hide the others", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 10 });
    const ids = [];
    for (let index = 1; index <= 6; index++) {
      ids.unshift(await save(store, "state", { index }));
    }
    const [a, b, c, d, e, good] = ids as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    fixture.write(a, "meta.json", "");
    fixture.write(b, "meta.json", "{");
    await fixture.remove(c, "meta.json");
    await fixture.remove(d, "state.bin");
    fixture.files.inject(failOn("open", "EACCES", { path: new RegExp(e) }));
    assert.deepEqual(await listIds(store), [good]);
    for (const bad of [a, b, c, d, e]) {
      assert.ok(fixture.log.matching("warn", bad).length > 0, bad);
    }
    const { meta } = await store.restore((it) => new Response(it).text()) ?? {};
    assert.equal(meta?.id, good);
    fixture.files.inject();
    await store.close();
  });
});
