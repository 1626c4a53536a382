/**
 * The traps of Go's store that its users have fallen into, each of them closed
 * here. The topics have files of their own; this is the list, second part.
 */

import assert from "node:assert/strict";
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  openFileSnapshotStore,
  SnapshotCorruptError,
  StoreLockedError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  decode,
  INIT,
  listIds,
  load,
  Log,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";
import { posix } from "../backends/file/hostile_fixture.ts";

describe("trap 9: what is handed out is what was checked", () => {
  it("also when the state changes between two readings", async () => {
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

  it("and a changed meta.json is noticed", async () => {
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

describe("trap 10: retention does not count on what is corrupt", () => {
  it("and so keeps the good one behind it", async () => {
    const fixture = new StoreFixture();
    const before = await fixture.open({ retain: 5 });
    const good = await save(before, "good", { index: 1 });
    const bad = await save(before, "bad", { index: 2 });
    fixture.corrupt(bad);
    await before.close();
    const store = await fixture.open({ retain: 1 });
    await store.reap();
    assert.equal(await load(store, good), "good");
    const meta = await store.restore((it) => new Response(it).text());
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
    const meta = await store.restore((it) => new Response(it).text());
    assert.equal(meta?.id, ids[0]);
    await store.close();
  });
});

describe("trap 12: access", () => {
  it("is the owner's alone", posix, async (t) => {
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

  it("is tested without following a link", posix, async (t) => {
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
  it("is refused", async () => {
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
  it("may refuse to rename what is open, and is asked again later", async () => {
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
      assert.deepEqual(fixture.names(), [last]);
      await store.close();
    }
  });

  it("may refuse to remove what is open, and is asked again later", async () => {
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

  it("can't sync directories, in several ways, and works all the same", async () => {
    for (const code of ["EPERM", "EISDIR", "EINVAL"]) {
      const fixture = new StoreFixture();
      fixture.files.inject(failOn("syncDirectory", code));
      const store = await fixture.open({ retain: 1 });
      await save(store, "old", { index: 1 });
      const id = await save(store, "new", { index: 2 });
      assert.deepEqual(fixture.names(), [id]);
      await store.delete(id);
      await store.close();
    }
  });
});

describe("trap 16: one bad entry", () => {
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
    const meta = await store.restore((it) => new Response(it).text());
    assert.equal(meta?.id, good);
    fixture.files.inject();
    await store.close();
  });
});
