/**
 * reap(): which snapshots are kept and which are removed.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { INIT, listIds, save } from "../support/store_fixture.ts";
import { onEachPlace, prepare } from "./places.ts";

onEachPlace("reap()", (makePlace) => {
  it("reads an unknown snapshot before it relies on it", async () => {
    const place = makePlace();
    const [good, corrupt] = await prepare(place, [1, 2]) as [string, string];
    await place.corrupt(corrupt);
    const store = await place.open({ retain: 1 });
    await store.reap();
    assert.deepEqual(await listIds(store), [corrupt, good]);
    await store.close();
  });

  it("keeps the only good one, however old it is", async () => {
    const place = makePlace();
    const ids = await prepare(place, [1, 2, 3, 4, 5]);
    for (const id of ids.slice(1)) await place.corrupt(id);
    const store = await place.open({ retain: 1 });
    await store.reap();
    assert.ok((await listIds(store)).includes(ids[0] ?? ""));
    await store.close();
  });

  it("keeps all when not one is good", async () => {
    const place = makePlace();
    const ids = await prepare(place, [1, 2, 3]);
    for (const id of ids) await place.corrupt(id);
    const store = await place.open({ retain: 1 });
    await store.reap();
    assert.equal((await store.list()).length, 3);
    assert.equal(place.log.matching("error").length, 1);
    await store.close();
  });

  it("does not rely on a snapshot that has become corrupt since it was written", async () => {
    for (const how of ["verify", "open"] as const) {
      const place = makePlace();
      const [good] = await prepare(place, [1]) as [string];
      const store = await place.open({ retain: 2 });
      const bad = await save(store, "state", { index: 2 });
      await place.corrupt(bad);
      if (how === "verify") await store.verify(bad);
      else await assert.rejects(new Response(await store.open(bad)).text());
      await store.close();
      const strict = await place.open({ retain: 1 });
      await strict.verify(bad);
      await strict.reap();
      assert.ok((await listIds(strict)).includes(good));
      await strict.close();
    }
  });

  it("reads a snapshot again that a reader has found corrupt", async () => {
    const place = makePlace();
    const store = await place.open({ retain: 2 });
    const good = await save(store, "good", { index: 1 });
    const bad = await save(store, "bad", { index: 2 });
    // Published by this very store, and so known to be good; until now.
    await place.corrupt(bad);
    await assert.rejects(new Response(await store.open(bad)).text());
    const third = await save(store, "third", { index: 0 });
    await store.reap();
    const ids = await listIds(store);
    assert.ok(ids.includes(good), `${good} is not in ${ids.join()}`);
    assert.ok(ids.includes(third));
    await store.close();
  });

  it("does not rely on a snapshot whose files have vanished since it was written", async () => {
    for (const part of ["meta.json", "state.bin"] as const) {
      const place = makePlace();
      const store = await place.open({ retain: 1 });
      const newest = await store.create({ ...INIT, index: 2n });
      const good = await store.create({ ...INIT, index: 1n });
      await newest.close();
      await good.close(); // just published, and so kept for now
      await place.remove(newest.id, part);
      await store.reap();
      assert.deepEqual(await listIds(store), [good.id], part);
      await store.close();
    }
  });

  it("keeps two that it knows to be corrupt, the newest, and no more", async () => {
    const place = makePlace();
    const store = await place.open({ retain: 2 });
    const bad = [];
    for (let index = 1; index <= 6; index++) {
      const id = await save(store, "spoilt", { index });
      await place.corrupt(id);
      await store.verify(id);
      bad.unshift(id);
    }
    const good = await save(store, "good", { index: 7 });
    assert.deepEqual(await listIds(store), [good, ...bad.slice(0, 2)]);
    await store.close();
  });

  it("is not run twice at a time", async () => {
    const place = makePlace();
    await prepare(place, [1, 2, 3, 4, 5]);
    const store = await place.open({ retain: 1 });
    await Promise.all([store.reap(), store.reap(), store.reap()]);
    assert.equal((await place.names()).length, 1);
    assert.equal(place.log.matching("warn").length, 0);
    await store.close();
  });
});
