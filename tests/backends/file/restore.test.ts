/**
 * Start-up: the newest snapshot that can be restored is restored, and corrupt
 * newer ones are quarantined.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NoUsableSnapshotError, type SnapshotStore } from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  decode,
  letOthersWork,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

/** A store with snapshots of the indexes 1, 2, ..., newest first. */
async function prepare(count: number) {
  const fixture = new StoreFixture();
  const store = await fixture.open({ retain: 100 });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.unshift(await save(store, `state ${index}`, { index }));
  }
  return { fixture, store, ids, id: (i: number) => ids[i] as string };
}

/** Restores into a string. */
async function restoreText(store: SnapshotStore) {
  const tried: string[] = [];
  let text: string | undefined;
  const { meta } = await store.restore(async (source) => {
    tried.push(source.meta.id);
    text = await new Response(source).text();
  }) ?? {};
  return { meta, text, tried };
}

describe("restore()", () => {
  it("resolves to undefined beside foreign names and the remains of a crash, too", async () => {
    const fixture = new StoreFixture();
    fixture.disk.writeFile(`${SNAPSHOTS}/notes.txt`, new Uint8Array());
    fixture.write("1-1-1.tmp", "state.bin", "half");
    const store = await fixture.open();
    assert.equal((await restoreText(store)).meta, undefined);
    await store.close();
  });

  it("keeps quarantined snapshots unchanged, across starts and reaps", async () => {
    const { fixture, store, id } = await prepare(2);
    fixture.corrupt(id(0), 3);
    await restoreText(store);
    await store.reap();
    await store.close();
    const again = await fixture.open({ retain: 1 });
    await save(again, "new", { index: 5 });
    const state = fixture.read(`${id(0)}.corrupt.tmp`, "state.bin");
    assert.equal(decode(state), "staue 2");
    await again.close();
  });

  it("does not take a store for empty that has names in it", async () => {
    const { fixture, store } = await prepare(2);
    // A disk that lists a name and then reports it as missing.
    fixture.files.inject(failOn("stat", "ENOENT", { path: /\/3-\d+-\d+$/ }));
    await assert.rejects(restoreText(store), NoUsableSnapshotError);
    fixture.files.inject();
    assert.equal((await restoreText(store)).text, "state 2");
    await store.close();
  });

  it("passes over snapshots that can't be read just now without a quarantine", async () => {
    const { fixture, store, id } = await prepare(2);
    const path = new RegExp(`${id(0)}/state\\.bin$`);
    for (const name of ["open", "read", "statHandle"] as const) {
      fixture.files.inject(failOn(name, "EIO", { path }));
      assert.equal((await restoreText(store)).meta?.id, id(1));
      assert.ok(fixture.names().includes(id(0)), name);
    }
    fixture.files.inject();
    assert.equal((await restoreText(store)).meta?.id, id(0));
    await store.close();
  });

  it("succeeds although the corrupt one can't be quarantined", async () => {
    const { fixture, store, ids, id } = await prepare(2);
    fixture.corrupt(id(0));
    fixture.files.inject(failOn("rename", "EBUSY"));
    assert.equal((await restoreText(store)).meta?.id, id(1));
    assert.deepEqual(await listIds(store), ids);
    assert.equal(fixture.log.matching("warn", "EBUSY").length, 1);
    await store.close();
  });

  it("touches nothing once the store has been closed", async () => {
    const { fixture, store, ids, id } = await prepare(2);
    fixture.write(id(0), "meta.json", "garbage");
    let before = 0;
    const { meta } = await store.restore(async (source) => {
      await new Response(source).text();
      await store.close(); // the directory may be another's now
      before = fixture.files.trace.length;
    }) ?? {};
    assert.equal(meta?.id, id(1));
    assert.deepEqual(fixture.names(), ids.toSorted());
    assert.deepEqual(fixture.trace(before), []);
  });

  it("makes close() wait until it reads no more of a snapshot that may be corrupt", async () => {
    const { fixture, store, ids, id } = await prepare(3);
    for (const bad of [id(0), id(1)]) fixture.corrupt(bad);
    let restored = false;
    let closing: Promise<number> | undefined;
    fixture.files.inject(({ name, path }) => {
      const isRead = name === "read" && path.endsWith(`${id(0)}/state.bin`);
      if (!restored || !isRead) return undefined;
      closing ??= store.close().then(() => fixture.files.trace.length);
      return { wait: letOthersWork() };
    });
    const { meta } = await store.restore(async (source) => {
      await new Response(source).text();
      restored = true;
    }) ?? {};
    assert.equal(meta?.id, id(2));
    const before = await closing;
    assert.ok(before !== undefined, "nothing was read to find out");
    assert.deepEqual(fixture.trace(before), []);
    assert.deepEqual(fixture.names(), ids.toSorted());
  });
});
