/**
 * delete(): a snapshot is removed, whatever state it is in.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { InvalidSnapshotIdError, SnapshotNotFoundError } from "@raft/snapshots";
import { INIT, save } from "../support/store_fixture.ts";
import { onEachPlace } from "./places.ts";

onEachPlace("delete()", (makePlace) => {
  it("removes a snapshot, the last one too", async () => {
    const place = makePlace();
    const store = await place.open();
    const id = await save(store, "state");
    await store.delete(id);
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(await place.names(), []);
    await assert.rejects(store.open(id), SnapshotNotFoundError);
    await store.close();
  });

  it("removes one that is corrupt, or of an unknown version", async () => {
    const place = makePlace();
    const store = await place.open();
    const id = await save(store, "state");
    const other = await save(store, "state");
    place.write(id, "meta.json", "garbage");
    place.write(other, "meta.json", `{"Version":9,"ID":"${other}"}`);
    await store.delete(id);
    await store.delete(other);
    assert.deepEqual(await place.names(), []);
    await store.close();
  });

  it("refuses an ID that is not in the store, or none at all", async () => {
    const place = makePlace();
    const store = await place.open();
    const sink = await store.create(INIT);
    await assert.rejects(store.delete("3-10-1"), SnapshotNotFoundError);
    await assert.rejects(store.delete(sink.id), SnapshotNotFoundError);
    for (const id of ["", "..", "../outside", ".lock", `${sink.id}.tmp`]) {
      await assert.rejects(store.delete(id), InvalidSnapshotIdError);
    }
    const id = 7 as unknown as string;
    await assert.rejects(store.delete(id), InvalidSnapshotIdError);
    await sink.cancel();
    await store.close();
  });

  it("of the same snapshot at the same time is done once", async () => {
    const place = makePlace();
    const store = await place.open();
    const id = await save(store, "state");
    const outcomes = await Promise.allSettled([
      store.delete(id),
      store.delete(id),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status).sort(),
      ["fulfilled", "rejected"],
    );
    assert.deepEqual(await place.names(), []);
    await store.close();
  });
});
