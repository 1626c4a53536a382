/**
 * The snapshots that every close of a sink keeps and removes.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { INIT, listIds, save } from "../support/store_fixture.ts";
import { onEachPlace, prepare } from "./places.ts";

onEachPlace("every close of a sink", (makePlace) => {
  it("keeps the newest, as many as the option retain says", async () => {
    for (const retain of [1, 2, 3]) {
      const place = makePlace();
      const store = await place.open({ retain });
      const ids: string[] = [];
      for (let index = 1; index <= 5; index++) {
        ids.unshift(await save(store, "state", { index }));
        assert.deepEqual(await listIds(store), ids.slice(0, retain));
      }
      assert.deepEqual(await place.names(), ids.slice(0, retain).sort());
      await store.close();
    }
  });

  it("counts only usable snapshots", async () => {
    const place = makePlace();
    const [good, cut, empty] = await prepare(place, [1, 2, 3]) as [
      string,
      string,
      string,
    ];
    place.write(cut, "state.bin", "s");
    place.write(empty, "meta.json", "");
    const store = await place.open({ retain: 2 });
    const id = await save(store, "new", { index: 4 });
    assert.deepEqual(await listIds(store), [id, good]);
    await store.close();
  });

  it("never removes the snapshot that it has just published", async () => {
    const place = makePlace();
    await prepare(place, [100, 101, 102], 9n);
    const store = await place.open({ retain: 1 });
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
    const place = makePlace();
    await prepare(place, [100], 9n);
    const store = await place.open({ retain: 1 });
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
});
