/**
 * The reap that follows a publication in the background: close() does not wait
 * for it, and no other call sees that it has not ended.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  MemorySnapshotStore,
  SnapshotError,
  SnapshotNotFoundError,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import { failOn, type OperationName } from "@raft/snapshots/testing";
import {
  Gate,
  INIT,
  letOthersWork,
  listIds,
  load,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

/** A store of one snapshot that is about to be reaped. */
async function setUp(waiting: OperationName, path: RegExp) {
  const fixture = new StoreFixture();
  const store = await fixture.open({ retain: 1 });
  const old = await save(store, "old", { index: 1 });
  await store.reap(); // so that nothing is left to do in the background
  const held = fixture.hold(waiting, path);
  const id = await save(store, "new", { index: 2 });
  await held.waiting();
  return { fixture, store, old, id, gate: held.gate };
}

/** Calls that must not see snapshots that are to be reaped. */
const CALLS: Readonly<
  Record<string, (store: SnapshotStore, old: string) => Promise<unknown>>
> = {
  "list()": (store) => store.list(),
  "open()": (store, old) => store.open(old),
  "stat()": (store, old) => store.stat(old),
  "verify()": (store, old) => store.verify(old),
  "delete()": (store, old) => store.delete(old),
  "restore()": (store) =>
    store.restore((source) => new Response(source).text()),
  "create()": async (store) =>
    await (await store.create({ ...INIT, index: 9 })).cancel(),
  "save()": (store) => store.save({ ...INIT, index: 9 }, new Uint8Array(1)),
  "close()": (store) => store.close(),
};

describe("the reap after a publication", () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`is over for ${name} when the old snapshot has lost its name`, async () => {
      const { store, old, gate } = await setUp("rename", /\/3-1-\d+$/);
      let hasSettled = false;
      const calling = call(store, old)
        .catch((error) => assert.ok(error instanceof SnapshotNotFoundError))
        .finally(() => hasSettled = true);
      await letOthersWork();
      assert.ok(!hasSettled, "it does not wait");
      gate.open();
      await calling;
      await store.close();
    });

    if (name === "delete()" || name === "close()") continue;
    it(`does not hold ${name} up while it removes bytes`, async () => {
      const { store, old, gate } = await setUp("removeFile", /3-1-.*deleted/);
      await call(store, old)
        .catch((error) => assert.ok(error instanceof SnapshotNotFoundError));
      gate.open();
      await store.close();
    });
  }

  it("has removed the bytes when close() of the store resolves", async () => {
    const { fixture, store, id, gate } = await setUp(
      "removeFile",
      /3-1-.*deleted/,
    );
    let isClosed = false;
    const closing = store.close().then(() => isClosed = true);
    await letOthersWork();
    assert.ok(!isClosed);
    await assert.rejects(store.list(), { name: "StoreClosedError" });
    gate.open();
    await closing;
    assert.deepEqual(fixture.names(), [id]);
    const { length } = fixture.files.trace;
    await letOthersWork();
    assert.equal(fixture.files.trace.length, length);
    assert.equal(fixture.openHandles, 0);
  });

  it("removes every trace of a snapshot that is begun while the store is closed", async () => {
    const { fixture, store, id, gate } = await setUp("rename", /\/3-1-\d+$/);
    const begun = Promise.all(
      [
        store.create({ ...INIT, index: 8 }),
        store.save({ ...INIT, index: 9 }, new Uint8Array(1)),
      ].map((call) => assert.rejects(call, SnapshotError)),
    );
    await until(
      () => fixture.names().filter((it) => it.endsWith(".tmp")).length === 2,
      "both are begun",
    );
    const closing = store.close();
    gate.open();
    await Promise.all([closing, begun]);
    assert.deepEqual(fixture.names(), [id]);
    assert.equal(fixture.openHandles, 0);
  });

  it("does not disturb a reader of the old snapshot", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    const old = await save(store, "old", { index: 1 });
    const source = await store.open(old);
    await save(store, "new", { index: 2 });
    await assert.rejects(store.open(old), SnapshotNotFoundError);
    assert.equal(await new Response(source).text(), "old");
    await store.close();
  });

  for (
    const [what, name, path] of [
      ["its rename", "rename", /3-1-\d+$/],
      ["its sync", "syncDirectory", /snapshots$/],
      ["a removal of a file", "removeFile", /deleted\.tmp/],
    ] as const
  ) {
    it(`is reported, and done by the next one, when ${what} fails`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open({ retain: 1 });
      await save(store, "old", { index: 1 });
      await store.reap();
      const sink = await store.create({ ...INIT, index: 2 });
      let isRenamed = false;
      fixture.files.inject((operation) => {
        // The sync of the publication must not fail.
        isRenamed ||= operation.name === "rename" &&
          /3-1-/.test(operation.path);
        return isRenamed ? failOn(name, "EIO", { path })(operation) : undefined;
      });
      await sink.close();
      await until(
        () =>
          fixture.log.lines.some((line) => /^(warn|error): .*EIO/.test(line)),
        "the failure is reported",
      );
      await store.list();
      fixture.files.inject();
      const newest = await save(store, "newest", { index: 3 });
      assert.deepEqual(await listIds(store), [newest]);
      await store.close();
      assert.deepEqual(fixture.names(), [newest]);
    });
  }

  it("keeps a snapshot that was published meanwhile, although its term is lower", async () => {
    for (const order of [[7, 5], [5, 7]] as const) {
      const fixture = new StoreFixture();
      await fixture.prepare([1, 2]);
      const store = await fixture.open({ retain: 1 });
      const sinks = [];
      for (const index of order) {
        sinks.push(await store.create({ ...INIT, index }));
      }
      for (const sink of sinks) await sink.close();
      const ids = await listIds(store);
      const last = sinks[1];
      assert.ok(last !== undefined && ids.includes(last.id), ids.join());
      assert.ok(ids[0]?.startsWith("3-7-"), ids.join());
      assert.ok(!ids.some((id) => /^3-[12]-/.test(id)), ids.join());
      await store.close();
    }
  });

  it("makes durable the name of each snapshot whose files it removes", async () => {
    const fixture = new StoreFixture();
    const [first = "", second = ""] = await fixture.prepare([1, 2]);
    const store = await fixture.open({ retain: 100 });
    const { gate, waiting } = fixture.hold("rename", new RegExp(`/${first}$`));
    const deleting = store.delete(first);
    await waiting();
    // The removal of bytes that follows must not meet the rename.
    const newest = await save(store, "newest", { index: 3 });
    await letOthersWork();
    gate.open();
    await deleting;
    await store.close();
    assert.deepEqual(fixture.names(), [second, newest]);
    const trace = fixture.trace();
    const from = trace.findIndex((line) => line.startsWith(`rename ${first}`));
    const next = trace.slice(from).find((line) =>
      line.startsWith("syncDirectory") ||
      line.startsWith(`removeFile ${first}`)
    );
    assert.equal(next, `syncDirectory ${SNAPSHOTS}`);
  });

  it("does not hold up the end of other calls when the store is closed", async () => {
    const { fixture, store, id, gate } = await setUp(
      "removeFile",
      /3-1-.*deleted/,
    );
    const reading = fixture.hold("read", /state\.bin$/);
    const verifying = store.verify(id);
    await reading.waiting();
    const closing = store.close();
    await assert.rejects(verifying, StoreClosedError);
    gate.open();
    reading.gate.open();
    await closing;
  });

  it("is reported when it fails while the store is being closed", async () => {
    const fixture = new StoreFixture();
    const [old = ""] = await fixture.prepare([1]);
    const store = await fixture.open({ retain: 1 });
    const gate = new Gate();
    let isRenamed = false;
    fixture.files.inject(({ name, path }) => {
      isRenamed ||= name === "rename" && path.endsWith(old);
      return isRenamed && name === "syncDirectory"
        ? { wait: gate.opened, code: "EIO" }
        : undefined;
    });
    await save(store, "new", { index: 2 });
    await until(() => isRenamed, "the old one is renamed");
    const closing = store.close();
    await letOthersWork();
    gate.open();
    await closing;
    assert.equal(fixture.log.matching("error", "EIO").length, 1);
  });

  it("of two closes at once reaps the same as one after the other", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1]);
    const store = await fixture.open({ retain: 1 });
    const sinks = await Promise.all(
      [2, 3].map((index) => store.create({ ...INIT, index })),
    );
    await Promise.all(sinks.map((sink) => sink.close()));
    assert.equal((await listIds(store))[0], sinks[1]?.id);
    assert.ok(!(await listIds(store)).some((id) => id.startsWith("3-1-")));
    await store.close();
  });

  it("does not read again the snapshots that this process has written", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 2 });
    for (const index of [1, 2, 3, 4]) await save(store, "state", { index });
    await store.reap();
    const read = fixture.files.trace.filter(({ name, path }) =>
      name === "read" && path.startsWith(SNAPSHOTS)
    );
    assert.deepEqual(read, []);
    await store.close();
  });

  it("holds create() up for a while only when the place hangs", async () => {
    const { fixture, store, gate } = await setUp("rename", /\/3-1-\d+$/);
    const sink = await store.create({ ...INIT, index: 9 }); // after 2 s
    assert.equal(fixture.log.matching("warn", "takes long").length, 1);
    await sink.cancel();
    gate.open();
    await store.close();
  });

  it("is the same in memory", async () => {
    const store = new MemorySnapshotStore({ retain: 1 });
    await save(store, "old", { index: 1 });
    const id = await save(store, "new", { index: 2 });
    assert.deepEqual(await listIds(store), [id]);
    assert.equal(await load(store, id), "new");
    await store.close();
  });
});
