/**
 * Which calls wait for each other, and which run at the same time.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SnapshotStore } from "@raft/snapshots";
import {
  Gate,
  INIT,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

/** Calls that read the whole of the state `id`. */
const READERS: Readonly<
  Record<string, (store: SnapshotStore, id: string) => Promise<unknown>>
> = {
  "seal()": (store, id) => store.seal(id),
  "reap()": (store) => store.reap(),
  "restore() that looks for corruption": (store) =>
    store.restore(() => Promise.reject(new Error("not this time"))),
};

/** A store with two snapshots of an earlier process, the newer one unsealed. */
async function prepare(gate: Gate) {
  const fixture = new StoreFixture();
  const [, large] = await fixture.prepare([1, 2]) as [string, string];
  await fixture.unseal(large);
  const store = await fixture.open({ retain: 1 });
  let isReading = false;
  fixture.files.inject(({ name, path }) => {
    if (name !== "read" || !path.endsWith(`${large}/state.bin`)) return;
    isReading = true;
    return { wait: gate.opened };
  });
  return { fixture, store, large, isReading: () => isReading };
}

describe("the close of a small snapshot", () => {
  for (const [name, call] of Object.entries(READERS)) {
    it(`does not wait while ${name} reads a large one`, async () => {
      const gate = new Gate();
      const { fixture, store, large, isReading } = await prepare(gate);
      const running = call(store, large).catch((error) => error);
      await until(isReading, "the state is being read");
      const id = await save(store, "small", { index: 3 });
      assert.equal((await listIds(store))[0], id);
      gate.open();
      await running;
      await store.close();
      assert.equal(fixture.openHandles, 0);
    });
  }
});

describe("reap()", () => {
  it("chooses again when the good snapshot that it counts on is deleted", async () => {
    const gate = new Gate();
    const fixture = new StoreFixture();
    const [good, bad, newest] = await fixture.prepare([1, 2, 3]) as [
      string,
      string,
      string,
    ];
    fixture.corrupt(bad);
    const store = await fixture.open({ retain: 1 });
    let isReading = false;
    fixture.files.inject(({ name, path }) => {
      if (name !== "read" || !path.endsWith(`${newest}/state.bin`)) return;
      isReading = true;
      return { wait: gate.opened };
    });
    const reaped = store.reap();
    await until(() => isReading, "the state is being read");
    await store.delete(newest);
    gate.open();
    await reaped;
    assert.ok((await listIds(store)).includes(good));
    await store.close();
  });

  it("keeps a snapshot that is acknowledged while it reads, though it is older", async () => {
    const [reading, syncing] = [new Gate(), new Gate()];
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    const newest = await save(store, "newest", { index: 5 });
    const sink = await store.create({ ...INIT, index: 3 });
    let [syncs, opened] = [0, 0];
    fixture.files.inject(({ name, path }) => {
      const isSync = name === "syncDirectory" && path === SNAPSHOTS;
      if (isSync && syncs++ === 0) return { wait: syncing.opened };
      const isRead = name === "open" && path.endsWith(`${newest}/meta.json`);
      if (isRead && opened++ === 0) return { wait: reading.opened };
      return undefined;
    });
    const closed = sink.close();
    await until(() => syncs > 0, "the snapshot has its name");
    const reaped = store.reap();
    await until(() => opened > 0, "the reap is reading");
    syncing.open();
    await closed;
    reading.open();
    await reaped;
    assert.deepEqual(await listIds(store), [newest, sink.id]);
    await store.close();
  });

  it("reads nothing when there are no more snapshots than it keeps", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1, 2, 3]);
    const store = await fixture.open({ retain: 4 });
    const start = fixture.files.trace.length;
    await store.reap();
    await save(store, "the fourth", { index: 4 });
    const looks = fixture.trace(start).filter((line) =>
      /^(open|stat|read) \d/.test(line) && !line.includes(".tmp") &&
      !line.includes("3-4-")
    );
    assert.deepEqual(looks, []);
    await store.close();
  });
});

describe("seal()", () => {
  it("fails for a snapshot that is deleted while it is read", async () => {
    const gate = new Gate();
    const { fixture, store, large, isReading } = await prepare(gate);
    const sealed = store.seal(large);
    await until(isReading, "the state is being read");
    await store.delete(large);
    gate.open();
    await assert.rejects(sealed, { name: "SnapshotNotFoundError" });
    assert.deepEqual(
      fixture.names().filter((name) => name.includes(large)),
      [],
    );
    await store.close();
  });
});
