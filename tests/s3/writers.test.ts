/**
 * Several processes that write to one place in a bucket.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SnapshotStore } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { makeBucket } from "../support/s3/bucket.ts";
import {
  INIT,
  letOthersWork,
  listIds,
  save,
} from "../support/store_fixture.ts";

const HOUR = 3_600_000;

describe("writers of one place in a bucket", () => {
  it("get different IDs in the same millisecond, term and index", async () => {
    const bucket = makeBucket();
    const clock = () => 1_700_000_000_000;
    const stores = await Promise.all(
      Array.from({ length: 8 }, () => bucket.open({ clock })),
    );
    const states = stores.map((_, i) => bytes(1000, i));
    const metas = await Promise.all(
      stores.map((store, i) => store.save(INIT, states[i] as Uint8Array)),
    );
    assert.equal(new Set(metas.map(({ id }) => id)).size, 8);
    const [reader] = stores as [SnapshotStore];
    assert.equal((await reader.list()).length, 8);
    for (const [i, { id }] of metas.entries()) {
      const source = await reader.open(id);
      const state = new Uint8Array(await new Response(source).arrayBuffer());
      assert.deepEqual(state, states[i]);
    }
    for (const store of stores) await store.close();
  });

  it("do not reap snapshots that another one has published within the grace time", async () => {
    const bucket = makeBucket();
    const a = await bucket.open({ retain: 1, graceMs: HOUR });
    const b = await bucket.open({ retain: 1, graceMs: HOUR });
    const low = await save(a, "of a lower term", { term: 2n });
    const first = await save(b, "of b", { term: 5n, index: 1 });
    await b.reap();
    const second = await save(b, "of b", { term: 5n, index: 2 });
    await b.reap();
    assert.deepEqual(await listIds(b), [second, low], "b reaps its own");
    assert.ok(!(await listIds(a)).includes(first));
    const later = await bucket.open({ retain: 1, graceMs: 0 });
    await later.reap();
    assert.deepEqual(await listIds(later), [second], "no grace any more");
    for (const store of [a, b, later]) await store.close();
  });

  it("leave the bytes that another one's reader needs for the grace time", async () => {
    const bucket = makeBucket();
    const a = await bucket.open();
    const b = await bucket.open({ graceMs: HOUR });
    const state = bytes(100_000, 1);
    const id = await save(a, state);
    const source = await a.open(id);
    await b.delete(id);
    assert.deepEqual(await a.list(), []);
    const read = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(read, state);
    assert.deepEqual(await bucket.names(), [
      `${id}/blocks.crc64`,
      `${id}/deleted`,
      `${id}/state.bin`,
    ]);
    const later = await bucket.open({ graceMs: 0 });
    await later.reap();
    assert.deepEqual(await bucket.names(), []);
    for (const store of [a, b, later]) await store.close();
  });

  it("leave the bytes that their own readers need, without any grace", async () => {
    const bucket = makeBucket();
    const store = await bucket.open({ graceMs: 0 });
    const state = bytes(100_000, 1);
    const id = await save(store, state);
    const source = await store.open(id);
    await store.delete(id);
    const read = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(read, state);
    await store.reap();
    assert.deepEqual(await bucket.names(), [], "a later reap removes them");
    await store.close();
  });

  it("remove nothing of a snapshot that another one has claimed", async () => {
    const bucket = makeBucket();
    const store = await bucket.open();
    const sink = await store.create(INIT);
    await bucket.write(sink.id, "claim", new TextEncoder().encode("another"));
    await bucket.write(sink.id, "state.bin", new Uint8Array(3));
    await sink.cancel();
    const left = [`${sink.id}/claim`, `${sink.id}/state.bin`];
    assert.deepEqual(await bucket.names(), left);
    await store.close();
  });

  it("do not sweep a snapshot that another one is writing", async () => {
    const bucket = makeBucket();
    const a = await bucket.open();
    const sink = await a.create(INIT);
    const writer = sink.getWriter();
    await writer.write(bytes(9 * 1024 * 1024, 1));
    const b = await bucket.open();
    assert.deepEqual(await b.list(), []);
    await writer.close();
    assert.deepEqual(await listIds(b), [sink.id]);
    assert.equal((await b.verify(sink.id)).ok, true);
    for (const store of [a, b]) await store.close();
  });

  it("publish nothing when a sweep has ended their upload", async () => {
    const bucket = makeBucket();
    let hasPart = () => {};
    const sent = new Promise<void>((resolve) => hasPart = resolve);
    const a = await bucket.open({
      fetch: async (url, init) => {
        const response = await bucket.fetch(url, init);
        if (url.includes("partNumber=1")) hasPart();
        return response;
      },
    });
    const sink = await a.create(INIT);
    const writer = sink.getWriter();
    await writer.write(bytes(9 * 1024 * 1024, 1));
    // A server may take a part that was on its way when the upload was ended,
    // and complete the upload then.
    await sent;
    await (await bucket.open({ sweepAfterMs: 0 })).close();
    assert.equal(await bucket.uploadCount(), 0);
    await assert.rejects(writer.close(), /NoSuchUpload/);
    const b = await bucket.open();
    assert.deepEqual(await b.list(), []);
    for (const store of [a, b]) await store.close();
    assert.equal(await bucket.uploadCount(), 0);
    assert.deepEqual(await bucket.names(), []);
  });

  it("publish all or nothing when a sweep meets a part on its way", async () => {
    const bucket = makeBucket();
    const a = await bucket.open();
    const sink = await a.create(INIT);
    const writer = sink.getWriter();
    await writer.write(bytes(9 * 1024 * 1024, 1));
    while (await bucket.uploadCount() === 0) await letOthersWork();
    const b = await bucket.open({ sweepAfterMs: 0 });
    const isPublished = await writer.close().then(() => true, () => false);
    assert.deepEqual(await listIds(b), isPublished ? [sink.id] : []);
    if (isPublished) assert.equal((await b.verify(sink.id)).ok, true);
    for (const store of [a, b]) await store.close();
  });
});
