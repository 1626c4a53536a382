/**
 * A store that is only read: no lock, no clean-up, no writes.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DirectoryEntry, StoreAccessError } from "@raft/snapshots";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { bytes } from "../../support/random.ts";
import {
  INIT,
  listIds,
  load,
  save,
  StoreFixture,
} from "../../support/store_fixture.ts";

const READING = new Set([
  "open",
  "read",
  "statHandle",
  "close",
  "stat",
  "readDirectory",
]);

/** Every file with its content. */
function contents(fixture: StoreFixture): [string, Uint8Array | undefined][] {
  return fixture.disk.tree().map((path) => [
    path,
    path.endsWith("/") ? undefined : fixture.disk.readFile(path),
  ]);
}

/** A directory with everything that a store would clean up. */
async function prepare() {
  const fixture = new StoreFixture();
  const store = await fixture.open({ retain: 10 });
  const good = await save(store, bytes(5000, 1), { index: 1 });
  const corrupt = await save(store, "corrupt", { index: 2 });
  const garbled = await save(store, "garbled", { index: 3 });
  await store.close();
  fixture.corrupt(corrupt);
  fixture.write(garbled, "meta.json", "garbage");
  fixture.write("1-1-1.tmp", "state.bin", "half");
  fixture.write("1-1-2.deleted.tmp", "state.bin", "half");
  fixture.write("1-1-3.corrupt.tmp", "state.bin", "bad");
  return { fixture, good, corrupt };
}

describe("a read-only store", () => {
  it("writes nothing, whichever read is called", async () => {
    const { fixture, good, corrupt } = await prepare();
    const before = contents(fixture);
    const start = fixture.files.trace.length;
    const store = await fixture.open({ readOnly: true, retain: 1 });
    assert.deepEqual(await listIds(store), [corrupt, good]);
    for (const verify of ["auto", "before", "stream"] as const) {
      await load(store, good, { verify });
      await assert.rejects(load(store, corrupt, { verify }));
    }
    assert.equal((await store.verify(corrupt)).ok, false);
    const { meta } =
      await store.restore((source) => new Response(source).text()) ?? {};
    assert.equal(meta?.id, good);
    await store.close();
    const names = new Set(
      fixture.files.trace.slice(start).map(({ name }) => name),
    );
    assert.deepEqual([...names].filter((name) => !READING.has(name)), []);
    assert.deepEqual(contents(fixture), before);
    assert.equal(fixture.openHandles, 0);
  });

  it("rejects every call that would write", async () => {
    const { fixture, good } = await prepare();
    const before = contents(fixture);
    const store = await fixture.open({ readOnly: true });
    await assert.rejects(store.create(INIT), StoreAccessError);
    await assert.rejects(store.reap(), StoreAccessError);
    await assert.rejects(store.delete(good), StoreAccessError);
    await assert.rejects(store.seal(good), StoreAccessError);
    await store.close();
    assert.deepEqual(contents(fixture), before);
  });

  it("needs no lock, and works beside a writer and other readers", async () => {
    const { fixture, good } = await prepare();
    const owner = await fixture.open();
    const readers = [
      await fixture.open({ readOnly: true }),
      await fixture.open({ readOnly: true }),
    ];
    for (const reader of readers) {
      assert.ok((await listIds(reader)).includes(good));
    }
    const id = await save(owner, "new", { index: 9 });
    for (const reader of readers) {
      assert.equal(await load(reader, id), "new");
      await reader.close();
    }
    await save(owner, "still locked");
    await owner.close();
    await (await fixture.open({ readOnly: true })).close();
  });

  it("is refused where there is no store", async () => {
    const fixture = new StoreFixture();
    await assert.rejects(fixture.open({ readOnly: true }), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.equal(error.systemCode, "ENOENT");
      return true;
    });
    assert.deepEqual(fixture.disk.tree(), []);
  });
});

/** A disk on which a test changes something right after the names were read. */
class BusyDisk extends MemoryFileSystem {
  #act: (() => Promise<unknown>) | undefined;

  afterNextRead(act: () => Promise<unknown>): void {
    this.#act = act;
  }

  override async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await super.readDirectory(path);
    const act = this.#act;
    this.#act = undefined;
    await act?.();
    return entries;
  }
}

describe("a store whose writer replaces its only snapshot", () => {
  async function begin() {
    const disk = new BusyDisk();
    const fixture = new StoreFixture(disk);
    const writer = await fixture.open({ retain: 1 });
    await save(writer, "state 1", { index: 1 });
    const reader = await fixture.open({ readOnly: true });
    disk.afterNextRead(() => save(writer, "state 2", { index: 2 }));
    return { fixture, writer, reader };
  }

  it("is never listed as empty", async () => {
    const { fixture, writer, reader } = await begin();
    const metas = await reader.list();
    assert.deepEqual(metas.map(({ index }) => index), [2n]);
    assert.deepEqual(fixture.log.matching("warn"), []);
    await writer.close();
  });

  it("is never taken for one that can't be restored", async () => {
    const { fixture, writer, reader } = await begin();
    let state = "";
    const { meta } = await reader.restore(async (source) => {
      state = await new Response(source).text();
    }) ?? {};
    assert.deepEqual([meta?.index, state], [2n, "state 2"]);
    assert.deepEqual(fixture.log.matching("warn"), []);
    await writer.close();
  });
});
