/**
 * Which snapshots are kept and removed: by every close, by reap() and by
 * delete().
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
} from "../../support/store_fixture.ts";

describe("every close of a sink", () => {
  it("never fails because a snapshot could not be removed", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1]) as [string];
    const store = await fixture.open({ retain: 1 });
    fixture.files.inject(failOn("rename", "EBUSY", { path: /deleted/ }));
    const id = await save(store, "new");
    assert.deepEqual(await listIds(store), [id, old]);
    assert.equal(fixture.log.matching("warn", "Cannot reap").length, 1);
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), [id]);
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
