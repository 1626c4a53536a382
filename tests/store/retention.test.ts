/**
 * What is kept and what is removed: by every close, by reap() and by delete().
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failOn } from "@raft/snapshots/testing";
import {
  Gate,
  INIT,
  letOthersWork,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";

describe("every close of a sink", () => {
  it("leaves the newest, as many as are to be retained", async () => {
    for (const retain of [1, 2, 3]) {
      const fixture = new StoreFixture();
      const store = await fixture.open({ retain });
      const ids: string[] = [];
      for (let index = 1; index <= 5; index++) {
        ids.unshift(await save(store, "state", { index }));
        assert.deepEqual(await listIds(store), ids.slice(0, retain));
      }
      assert.deepEqual(fixture.names(), ids.slice(0, retain).sort());
      await store.close();
    }
  });

  it("counts only what can be used", async () => {
    const fixture = new StoreFixture();
    const [good, cut, empty] = await fixture.prepare([1, 2, 3]) as [
      string,
      string,
      string,
    ];
    fixture.write(cut, "state.bin", "s");
    fixture.write(empty, "meta.json", "");
    const store = await fixture.open({ retain: 2 });
    const id = await save(store, "new", { index: 4 });
    assert.deepEqual(await listIds(store), [id, good]);
    await store.close();
  });

  it("never fails for what could not be removed", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1]) as [string];
    const store = await fixture.open({ retain: 1 });
    fixture.files.inject(failOn("rename", "EBUSY", { path: /deleted/ }));
    const id = await save(store, "new");
    assert.deepEqual(await listIds(store), [id, old]);
    assert.equal(fixture.log.matching("error", "Cannot reap").length, 1);
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), [id]);
    await store.close();
  });

  it("never removes the snapshot that it has just published", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([100, 101, 102], 9n);
    const store = await fixture.open({ retain: 1 });
    const id = await save(store, "lower term", { term: 3n });
    assert.ok((await listIds(store)).includes(id));
    await store.reap();
    assert.ok((await listIds(store)).includes(id), "nor does a later reap");
    const next = await save(store, "newer", { term: 3n, index: 11n });
    assert.ok((await listIds(store)).includes(next));
    assert.ok(!(await listIds(store)).includes(id), "only its successor does");
    await store.close();
  });

  it("leaves the newest of those that were published side by side", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([100], 9n);
    const store = await fixture.open({ retain: 1 });
    const [older, newer] = [
      await store.create({ ...INIT, index: 10n }),
      await store.create({ ...INIT, index: 20n }),
    ];
    await newer.close();
    await older.close();
    const ids = await listIds(store);
    assert.ok(ids.includes(newer.id), "the newest that was acknowledged");
    assert.ok(ids.includes(older.id), "the one that was just published");
    await store.close();
  });

  it("never removes one whose close is under way", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    const gate = new Gate();
    const slow = await store.create({ ...INIT, index: 1n });
    fixture.files.inject(({ name, path }) =>
      name === "syncDirectory" && path === SNAPSHOTS
        ? { wait: gate.opened }
        : undefined
    );
    const closed = slow.close(); // it has its name, and waits for the sync
    await letOthersWork();
    fixture.files.inject();
    const fast = await save(store, "newer", { index: 2n });
    assert.deepEqual(await listIds(store), [fast, slow.id]);
    gate.open();
    await closed;
    await store.close();
  });
});
