/**
 * reap(): what is kept and what is removed, and in which order.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError } from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  INIT,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";

describe("reap()", () => {
  it("reads one that it does not know before it counts on it", async () => {
    const fixture = new StoreFixture();
    const [good, corrupt] = await fixture.prepare([1, 2]) as [string, string];
    fixture.corrupt(corrupt);
    const store = await fixture.open({ retain: 1 });
    await store.reap();
    assert.deepEqual(await listIds(store), [corrupt, good]);
    await store.close();
  });

  it("keeps the only good one, however old it is", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2, 3, 4, 5]);
    for (const id of ids.slice(1)) fixture.corrupt(id);
    const store = await fixture.open({ retain: 1 });
    await store.reap();
    assert.ok((await listIds(store)).includes(ids[0] ?? ""));
    await store.close();
  });

  it("keeps all when not one is good", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2, 3]);
    for (const id of ids) fixture.corrupt(id);
    const store = await fixture.open({ retain: 1 });
    await store.reap();
    assert.equal((await store.list()).length, 3);
    assert.equal(fixture.log.matching("error").length, 1);
    await store.close();
  });

  it("does not count on one that has gone bad since it was written", async () => {
    for (const how of ["verify", "open"] as const) {
      const fixture = new StoreFixture();
      const [good] = await fixture.prepare([1]) as [string];
      const store = await fixture.open({ retain: 2 });
      const bad = await save(store, "state", { index: 2 });
      fixture.corrupt(bad);
      if (how === "verify") await store.verify(bad);
      else await assert.rejects(new Response(await store.open(bad)).text());
      await store.close();
      const strict = await fixture.open({ retain: 1 });
      await strict.verify(bad);
      await strict.reap();
      assert.ok((await listIds(strict)).includes(good));
      await strict.close();
    }
  });

  it("looks again at what a reader has found corrupt", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 2 });
    const good = await save(store, "good", { index: 1 });
    const bad = await save(store, "bad", { index: 2 });
    // Published by this very store, and so known to be good; until now.
    fixture.corrupt(bad);
    await assert.rejects(new Response(await store.open(bad)).text());
    const third = await save(store, "third", { index: 0 });
    await store.reap();
    const ids = await listIds(store);
    assert.ok(ids.includes(good), `${good} is not in ${ids.join()}`);
    assert.ok(ids.includes(third));
    await store.close();
  });

  it("does not count on one whose files have gone since it was written", async () => {
    for (const part of ["meta.json", "state.bin"]) {
      const fixture = new StoreFixture();
      const store = await fixture.open({ retain: 1 });
      const newest = await store.create({ ...INIT, index: 2n });
      const good = await store.create({ ...INIT, index: 1n });
      await newest.close();
      await good.close(); // just published, and so kept for now
      await fixture.remove(newest.id, part);
      await store.reap();
      assert.deepEqual(await listIds(store), [good.id], part);
      await store.close();
    }
  });

  it("keeps two that it knows to be corrupt, the newest, and no more", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 2 });
    const bad = [];
    for (let index = 1; index <= 6; index++) {
      const id = await save(store, "spoilt", { index });
      fixture.corrupt(id);
      await store.verify(id);
      bad.unshift(id);
    }
    const good = await save(store, "good", { index: 7 });
    assert.deepEqual(await listIds(store), [good, ...bad.slice(0, 2)]);
    await store.close();
  });

  it("reads nothing when there is nothing to remove", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1, 2]);
    const store = await fixture.open({ retain: 2 });
    const start = fixture.files.trace.length;
    await store.reap();
    const reads = fixture.trace(start).filter((it) => /read .*state/.test(it));
    assert.deepEqual(reads, []);
    await store.close();
  });

  it("goes on with the others when one can't be removed, and says so", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2, 3, 4]);
    const store = await fixture.open({ retain: 1 });
    const stuck = ids[1] ?? "";
    // As Windows answers while somebody has a file of it open.
    for (const code of ["EPERM", "EBUSY", "EACCES"]) {
      const path = new RegExp(`/${stuck}$`);
      fixture.files.inject(failOn("rename", code, { path }));
      await assert.rejects(store.reap(), (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.equal(error.code, code);
        return true;
      });
      assert.deepEqual(await listIds(store), [ids[3], stuck]);
    }
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(await listIds(store), [ids[3]]);
    await store.close();
  });

  it("is not run twice at a time", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1, 2, 3, 4, 5]);
    const store = await fixture.open({ retain: 1 });
    await Promise.all([store.reap(), store.reap(), store.reap()]);
    assert.equal(fixture.names().length, 1);
    assert.equal(fixture.log.matching("warn").length, 0);
    await store.close();
  });

  it("renames, syncs, and only then takes the files away", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1, 2]) as [string];
    const store = await fixture.open({ retain: 1 });
    const start = fixture.files.trace.length;
    await store.reap();
    const steps = fixture.trace(start).filter((it) =>
      /^(rename|syncDirectory|remove)/.test(it)
    );
    assert.equal(steps[0], `rename ${old} ${old}.deleted.tmp`);
    assert.equal(steps[1], `syncDirectory ${SNAPSHOTS}`);
    assert.match(steps[2] ?? "", /^removeFile .*\.deleted\.tmp\//);
    await store.close();
  });

  it("takes no file away while the new name may not last", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1, 2]) as [string];
    const store = await fixture.open({ retain: 1 });
    fixture.files.inject(failOn("syncDirectory", "EIO"));
    await assert.rejects(store.reap());
    const start = fixture.files.trace.length;
    await assert.rejects(store.reap(), "still");
    assert.ok(!fixture.trace(start).some((it) => it.startsWith("remove")));
    const left = `${SNAPSHOTS}/${old}.deleted.tmp/state.bin`;
    assert.ok(fixture.disk.tree().includes(left));
    fixture.files.inject();
    await store.reap();
    assert.equal(fixture.names().length, 1);
    await store.close();
  });
});
