/**
 * delete(): a snapshot is removed, whatever is in its way.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError, SnapshotNotFoundError } from "@raft/snapshots";
import { failOn, type Injector } from "@raft/snapshots/testing";
import {
  listIds,
  load,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

describe("delete()", () => {
  it("does not hide a snapshot whose directory was empty when it was listed", async () => {
    const fixture = new StoreFixture();
    const [id] = await fixture.prepare([7]);
    const published = `${SNAPSHOTS}/${id}`;
    const copy = `${SNAPSHOTS}/copy`;
    await fixture.files.rename(published, copy);
    // Opened now, because a store knows its own snapshots without looking.
    const store = await fixture.open();
    await fixture.files.makeDirectory(published, 0o755);
    assert.deepEqual(await listIds(store), []);
    for (const { name } of await fixture.files.readDirectory(copy)) {
      await fixture.files.rename(`${copy}/${name}`, `${published}/${name}`);
    }
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("keeps a snapshot that is put into a directory after it was found empty", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([7]);
    const published = `${SNAPSHOTS}/${id}`;
    const entries = await fixture.disk.readDirectory(published);
    const copy = entries.map(({ name }) => ({
      name,
      content: fixture.read(id, name),
    }));
    for (const { name } of copy) await fixture.remove(id, name);
    let attempts = 0;
    fixture.files.inject(({ name, path }) => {
      if (name !== "removeDirectory" || path !== published) return undefined;
      if (++attempts > 1) return undefined;
      // Another program, such as cp or rsync, is faster.
      for (const { name, content } of copy) fixture.write(id, name, content);
      return undefined;
    });
    const store = await fixture.open();
    assert.deepEqual(await listIds(store), [id]);
    assert.equal(attempts, 1);
    assert.equal(await load(store, id), "state 7");
    assert.deepEqual(await fixture.disk.readDirectory(published), entries);
    assert.deepEqual(fixture.log.matching("info", `Removed ${id}`), []);
    assert.deepEqual(fixture.log.matching("warn"), []);
    await store.close();
  });

  it("removes no file that has taken the place of a snapshot", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state", { index: 7n });
    const published = `${SNAPSHOTS}/${id}`;
    assert.deepEqual(await listIds(store), [id]);
    await fixture.files.rename(published, `${SNAPSHOTS}/copy`);
    await (await fixture.files.open(published, "create")).close();
    await assert.rejects(store.delete(id), SnapshotNotFoundError);
    assert.equal((await fixture.disk.stat(published)).kind, "file");
    await store.close();
  });

  it("reports an empty directory that can't be removed, and tries it again", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([7]);
    await fixture.disk.makeDirectory(`${SNAPSHOTS}/1-1-1`, 0o700);
    fixture.files.inject(failOn("removeDirectory", "EACCES", { times: 1 }));
    const store = await fixture.open();
    assert.equal(fixture.log.matching("warn", "1-1-1: ").length, 1);
    assert.deepEqual(await listIds(store), [id]);
    await store.reap();
    assert.deepEqual(fixture.names(), [id]);
    await store.close();
  });

  it("rejects with the system's code when it can't be done", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    fixture.files.inject(failOn("rename", "EBUSY"));
    await assert.rejects(store.delete(id), (error) => {
      assert.ok(error instanceof SnapshotError);
      assert.equal(error.systemCode, "EBUSY");
      return true;
    });
    assert.deepEqual(await listIds(store), [id]);
    fixture.files.inject();
    await store.delete(id);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("replaces the rest of an earlier deletion, or a file of that name", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const ids = [await save(store, "a"), await save(store, "b")];
    fixture.write(`${ids[0]}.deleted.tmp`, "state.bin", "left over");
    fixture.disk.writeFile(
      `${SNAPSHOTS}/${ids[1]}.deleted.tmp`,
      new Uint8Array(),
    );
    for (const id of ids) await store.delete(id);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("marks and syncs a directory that can't be renamed before it removes its files", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([1, 2]);
    fixture.disk.makeLowerLayer();
    const store = await fixture.open();
    const start = fixture.files.trace.length;
    await store.delete(id);
    const steps = fixture.trace(start).filter((it) =>
      /^(open|syncDirectory|remove)/.test(it) && it.includes(id)
    );
    const [first, second] = steps;
    assert.equal(first, `open ${id}/deleted`);
    assert.equal(second, `syncDirectory ${id}`);
    const files = steps.filter((it) => it.startsWith("removeFile"));
    assert.equal(files[0], `removeFile ${id}/meta.json`);
    assert.equal(files.at(-1), `removeFile ${id}/deleted`);
    assert.equal(steps.at(-1), `removeDirectory ${id}`);
    assert.equal(fixture.names().length, 1);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("continues at the next start with directories that are still marked", async () => {
    const fixture = new StoreFixture();
    const [id = "", other = ""] = await fixture.prepare([1, 2]);
    fixture.disk.makeLowerLayer();
    const store = await fixture.open();
    const path = /(state\.bin|blocks\.crc64)$/;
    fixture.files.inject(failOn("removeFile", "EIO", { path }));
    await store.delete(id);
    await store.reap();
    assert.equal(fixture.log.matching("warn", id).length, 1, "told once");
    assert.deepEqual(await listIds(store), [other]);
    await store.close();
    const reader = await fixture.open({ readOnly: true });
    assert.deepEqual(await listIds(reader), [other]);
    await assert.rejects(reader.open(id), SnapshotNotFoundError);
    await assert.rejects(reader.verify(id), SnapshotNotFoundError);
    await reader.close();
    fixture.files.inject();
    await (await fixture.open()).close();
    assert.deepEqual(fixture.names(), [other]);
  });

  it("rejects when the mark can't be made durable", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([1]);
    fixture.disk.makeLowerLayer();
    const store = await fixture.open();
    fixture.files.inject(
      failOn("syncDirectory", "EIO", { path: new RegExp(`${id}$`) }),
    );
    await assert.rejects(store.delete(id), { systemCode: "EIO" });
    assert.ok(fixture.disk.tree().includes(`${SNAPSHOTS}/${id}/meta.json`));
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });
});

describe("delete() on a full disk that has no room for another name", () => {
  const refusing = (code: string): Injector => {
    const rules = [
      failOn("rename", code),
      failOn("open", code, {
        path: /deleted$/,
      }),
    ];
    return (operation) => rules.map((rule) => rule(operation)).find(Boolean);
  };

  for (const code of ["ENOSPC", "EDQUOT"]) {
    it(`removes the files, and reap() too: ${code}`, async () => {
      const fixture = new StoreFixture();
      const [first, second, newest = ""] = await fixture.prepare([1, 2, 3]);
      const store = await fixture.open({ retain: 1 });
      fixture.files.inject(refusing(code));
      await store.delete(second ?? "");
      assert.deepEqual(fixture.names(), [first, newest]);
      await store.reap();
      assert.deepEqual(fixture.names(), [newest]);
      await store.close();
    });
  }

  it("never leaves a directory that is restored wrongly when it is killed", async () => {
    const fixture = new StoreFixture();
    const [older = "", id = ""] = await fixture.prepare([1, 2]);
    const store = await fixture.open({ retain: 2 });
    const refuse = refusing("ENOSPC");
    const killed: StoreFixture[] = [];
    fixture.files.inject((operation) => {
      const choice = { seed: 1, keptPercent: 100, renames: "atomic" } as const;
      killed.push(new StoreFixture(fixture.disk.crashImage(choice)));
      return refuse(operation);
    });
    await store.delete(id);
    const restored = new Set<string | undefined>();
    for (const each of killed) {
      const next = await each.open();
      const { meta } = await next.restore((source) =>
        new Response(source).text()
      ) ?? {};
      restored.add(meta?.id);
      await next.close();
    }
    // Before its first step the snapshot is whole.
    assert.deepEqual(restored, new Set([id, older]));
    await store.close();
  });
});
