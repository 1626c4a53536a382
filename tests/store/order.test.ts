/** `takenAt`, and the order of snapshots by it. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  decodeMeta,
  encodeMeta,
  MemorySnapshotStore,
  openFileSnapshotStore,
  type SnapshotInit,
  type SnapshotStore,
  type StoreOptions,
} from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";
import { MemoryFileSystem } from "@raft/snapshots/testing";

const utf8 = new TextEncoder();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const day = (n: number) => new Date(Date.UTC(2026, 0, n));

type Open = (options: StoreOptions) => Promise<SnapshotStore>;

/** A store of each kind; each call of `Open` opens the same place. */
const KINDS: Readonly<Record<string, () => Open>> = {
  "in a directory": () => {
    const fileSystem = new MemoryFileSystem();
    return (options) =>
      openFileSnapshotStore("/d", { fileSystem, logger: quiet, ...options });
  },
  "in memory": () => (options) =>
    Promise.resolve(new MemorySnapshotStore({ logger: quiet, ...options })),
};

/** A snapshot of that index, taken on that day of January. */
async function save(
  store: SnapshotStore,
  { index, taken, term = 3 }: {
    readonly index: number;
    readonly taken?: number;
    readonly term?: number;
  },
): Promise<string> {
  const init: SnapshotInit = {
    index,
    term,
    configuration: { servers: [] },
    configurationIndex: 0,
    takenAt: taken === undefined ? undefined : day(taken),
  };
  return (await store.save(init, utf8.encode(`state ${index}`))).id;
}

const listIds = async (store: SnapshotStore) =>
  (await store.list()).map(({ id }) => id);

async function restoredId(store: SnapshotStore): Promise<string | undefined> {
  const result = await store.restore(async (source) => {
    for await (const _ of source);
  });
  return result?.meta.id;
}

describe("takenAt", () => {
  const INIT = { index: 1, term: 1, configurationIndex: 0 };
  const configuration = { servers: [] };

  it("is kept by a store, and createdAt stays the time of the ID", async () => {
    const store = new MemorySnapshotStore({ clock: () => day(9).getTime() });
    const id = await save(store, { index: 1, taken: 2 });
    const meta = await store.stat(id);
    assert.deepEqual(meta.takenAt, day(2));
    assert.deepEqual(meta.createdAt, day(9));
    assert.equal(
      JSON.parse(JSON.stringify(meta)).takenAt,
      "2026-01-02T00:00:00.000Z",
    );
    assert.deepEqual(decodeMeta(encodeMeta(meta)), meta);
  });

  it("adds nothing to the bytes of a meta.json without it", async () => {
    const store = new MemorySnapshotStore();
    const id = await save(store, { index: 1 });
    const { meta } = await store.header(id);
    const text = new TextDecoder().decode(meta);
    assert.match(text, /"CRC":"[^"]+"}\n$/);
    assert.equal("takenAt" in await store.stat(id), false);
    assert.equal(
      "takenAt" in JSON.parse(JSON.stringify(await store.stat(id))),
      false,
    );
  });

  it("is a field that Go passes over, behind those that Go writes", async () => {
    const store = new MemorySnapshotStore();
    const id = await save(store, { index: 1, taken: 2 });
    const { meta } = await store.header(id);
    assert.match(
      new TextDecoder().decode(meta),
      /"CRC":"[^"]+","TakenAt":"2026-01-02T00:00:00\.000Z"}\n$/,
    );
  });

  it("of a copy is when the first of the copies was taken", async () => {
    const at = (n: number) => ({ clock: () => day(n).getTime() });
    const stores = [3, 4, 5].map((n) => new MemorySnapshotStore(at(n)));
    const [first, second, third] = stores as [
      MemorySnapshotStore,
      MemorySnapshotStore,
      MemorySnapshotStore,
    ];
    const id = await save(first, { index: 1 });
    const copy = await copySnapshot(first, id, second);
    assert.deepEqual([copy.takenAt, copy.createdAt], [day(3), day(4)]);
    const again = await copySnapshot(second, copy.id, third);
    assert.deepEqual([again.takenAt, again.createdAt], [day(3), day(5)]);
  });

  it("is rejected when it is not a time that metadata can hold", async () => {
    const store = new MemorySnapshotStore();
    const create = (takenAt: unknown) =>
      store.create({ ...INIT, configuration, takenAt: takenAt as Date });
    await assert.rejects(create("2026-01-02"), TypeError);
    await assert.rejects(create(new Date(NaN)), RangeError);
    await assert.rejects(create(new Date(8.64e15)), RangeError);
    await assert.rejects(
      create(new Date("-000001-01-01T00:00:00Z")),
      RangeError,
    );
  });

  it("is read as RFC 3339, and is corrupt when it is anything else", async () => {
    const store = new MemorySnapshotStore();
    const meta = await store.stat(await save(store, { index: 1, taken: 2 }));
    const text = new TextDecoder().decode(encodeMeta(meta));
    const read = (time: string) =>
      decodeMeta(
        utf8.encode(text.replace(/"TakenAt":".*?"/, `"TakenAt":${time}`)),
      ).takenAt;
    assert.deepEqual(
      read('"2026-01-02T01:00:00.123456789+01:00"'),
      new Date("2026-01-02T00:00:00.123Z"),
    );
    assert.equal(read('""'), undefined);
    assert.equal(read("null"), undefined);
    for (
      const wrong of [
        '"yesterday"',
        '"2026-01-02"',
        '"2026-13-02T00:00:00Z"',
        '"0000-01-01T00:00:00+01:00"',
        "1767312000",
      ]
    ) {
      assert.throws(() => read(wrong), { code: "ERR_SNAPSHOT_CORRUPT" }, wrong);
    }
  });
});

describe("the option order", () => {
  for (const [name, makeOpen] of Object.entries(KINDS)) {
    it(`"taken" lists and restores by time, ${name}`, async () => {
      const store = await makeOpen()({ order: "taken", retain: 9 });
      const old = await save(store, { index: 900, term: 9, taken: 2 });
      const fresh = await save(store, { index: 5, term: 2, taken: 4 });
      const middle = await save(store, { index: 7, term: 2, taken: 3 });
      assert.deepEqual(await listIds(store), [fresh, middle, old]);
      const entries = await store.list({ unusable: true });
      assert.deepEqual(entries.map(({ id }) => id), [fresh, middle, old]);
      assert.equal(await restoredId(store), fresh);
      await store.close();
    });

    it(`"taken" keeps the newest by time, ${name}`, async () => {
      const store = await makeOpen()({ order: "taken", retain: 2 });
      // A cluster, and the one that was built in its place.
      for (const index of [800, 900]) {
        await save(store, { index, term: 9, taken: index / 100 });
      }
      const [a, b] = [
        await save(store, { index: 5, term: 2, taken: 10 }),
        await save(store, { index: 6, term: 2, taken: 11 }),
      ];
      assert.deepEqual(await listIds(store), [b, a]);
      await store.reap();
      assert.deepEqual(await listIds(store), [b, a]);
      await store.close();
    });

    it(`"taken" goes by term and index where the times are equal, ${name}`, async () => {
      const store = await makeOpen()({ order: "taken", retain: 9 });
      const higher = await save(store, { index: 6, taken: 1 });
      const lower = await save(store, { index: 5, taken: 1 });
      assert.deepEqual(await listIds(store), [higher, lower]);
      await store.close();
    });

    it(`"raft" is the default and goes by term and index, ${name}`, async () => {
      const store = await makeOpen()({ retain: 9 });
      const old = await save(store, { index: 900, term: 9, taken: 2 });
      const fresh = await save(store, { index: 5, term: 2, taken: 4 });
      assert.deepEqual(await listIds(store), [old, fresh]);
      assert.equal(await restoredId(store), old);
      await store.close();
    });
  }

  it('"taken" knows the times after the store was opened again', async () => {
    const open = (KINDS["in a directory"] as () => Open)();
    const first = await open({ retain: 9 });
    const fresh = await save(first, { index: 5, term: 2, taken: 4 });
    // By the time in its ID it is the newest as well.
    const old = await save(first, { index: 900, term: 9, taken: 2 });
    await first.close();
    const store = await open({ order: "taken", retain: 1 });
    assert.deepEqual(await listIds(store), [fresh, old]);
    await store.reap();
    assert.deepEqual(await listIds(store), [fresh]);
    await store.close();
  });

  it('"taken" keeps no old state for having been published last', async () => {
    const store = await (KINDS["in a directory"] as () => Open)()({
      order: "taken",
      retain: 1,
    });
    const fresh = await save(store, { index: 5, taken: 4 });
    const old = await save(store, { index: 6, taken: 2 });
    // Until the next reap, because its publication was acknowledged.
    assert.deepEqual(await listIds(store), [fresh, old]);
    await store.reap();
    assert.deepEqual(await listIds(store), [fresh]);
    await store.close();
  });

  it('"taken" goes by the ID of a snapshot whose metadata can not be read', async () => {
    const fileSystem = new MemoryFileSystem();
    const options = { fileSystem, logger: quiet, retain: 9 };
    const first = await openFileSnapshotStore("/d", options);
    const fresh = await save(first, { index: 5, taken: 4 });
    const bad = await save(first, { index: 9 });
    await first.close();
    const path = `/d/snapshots/${bad}/meta.json`;
    await fileSystem.removeFile(path);
    const file = await fileSystem.open(path, "create");
    await file.write(utf8.encode("!"), 0);
    await file.close();
    const store = await openFileSnapshotStore("/d", {
      ...options,
      order: "taken",
    });
    assert.deepEqual(await listIds(store), [fresh]);
    const entries = await store.list({ unusable: true });
    assert.deepEqual(entries.map(({ id }) => id), [bad, fresh]);
    assert.equal(await restoredId(store), fresh);
    await store.close();
  });

  it("is kept over HTTP, with the times", async () => {
    const local = new MemorySnapshotStore({ logger: quiet, retain: 9 });
    const old = await save(local, { index: 900, term: 9, taken: 2 });
    const fresh = await save(local, { index: 5, term: 2, taken: 4 });
    const handler = snapshotHandler(local, { authorize: () => true });
    for (const order of ["raft", "taken"] as const) {
      const remote = await openHttpSnapshotStore("http://host/", {
        fetch: (url, init) => handler(new Request(url, init)),
        order,
      });
      const [newest] = await remote.list();
      assert.equal(newest?.id, order === "raft" ? old : fresh);
      await remote.close();
    }
  });

  it("is rejected when it is neither of the two", () => {
    const order = "newest" as "taken";
    assert.throws(() => new MemorySnapshotStore({ order }), TypeError);
  });
});
