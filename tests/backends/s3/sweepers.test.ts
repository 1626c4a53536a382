/**
 * Sweeps that meet a writer, or each other, at the worst moment.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotPublishError } from "@raft/snapshots";
import type { Fetch } from "../../../src/net/exchange.ts";
import { bytes } from "../../support/random.ts";
import { memoryBucket } from "../../support/s3/bucket.ts";
import {
  always,
  Gate,
  once,
  requestFor,
} from "../../support/s3/interceptions.ts";
import type { MemoryS3 } from "../../support/s3/memory_s3.ts";
import { INIT, listIds } from "../../support/store_fixture.ts";

const HOUR = 3_600_000;

const isListing = (url: string) => url.includes("list-type=2");
const isPublication = requestFor("PUT", "meta.json");
const isMark = (url: string, { method }: RequestInit) =>
  method === "PUT" && url.includes("/abandoned-");

/** A writer whose look after its publication waits at a gate. */
function writerThatLooksLate(bucket: ReturnType<typeof memoryBucket>) {
  const publication = new Gate();
  const look = new Gate();
  let isPublished = false;
  const publishing = always(bucket.fetch, isPublication, async (send) => {
    const response = await publication.pass(send);
    isPublished = true;
    return response;
  });
  const fetch: Fetch = always(
    publishing,
    (url) => isPublished && isListing(url),
    look.pass,
  );
  return { publication, look, fetch };
}

describe("a sweep of a bucket", () => {
  it("does not hide another one from the writer, which publishes nothing then", async () => {
    const bucket = memoryBucket();
    const { publication, look, fetch } = writerThatLooksLate(bucket);
    const store = await bucket.open({ fetch });
    const saving = store.save(INIT, bytes(100, 1)).then(
      () => undefined,
      (error) => error,
    );
    await publication.reached;
    // The first has found no meta.json, and is about to remove the state.
    const removing = new Gate();
    const first = bucket.open({
      sweepAfterMs: 0,
      fetch: always(bucket.fetch, requestFor("DELETE", "claim"), removing.pass),
    });
    await removing.reached;
    publication.open();
    await look.reached;
    // The second finds meta.json, and leaves the snapshot.
    const second = await bucket.open({ sweepAfterMs: 0 });
    look.open();
    const error = await saving;
    removing.open();
    const reader = await first;
    assert.ok(error instanceof SnapshotPublishError, "it was acknowledged");
    assert.deepEqual(await reader.list(), []);
    assert.deepEqual(await bucket.names(), []);
    for (const each of [store, reader, second]) await each.close();
  });

  it("leaves a writer that has continued since the sweep began", async () => {
    const bucket = memoryBucket();
    const time = { now: Date.now() };
    (bucket.memory as MemoryS3).serverTime = () => time.now;
    const { publication, look, fetch } = writerThatLooksLate(bucket);
    look.open();
    const store = await bucket.open({ fetch });
    const sink = await store.create(INIT);
    time.now += 25 * HOUR;
    const mark = new Gate();
    const sweeping = bucket.open({
      fetch: once(bucket.fetch, isMark, mark.pass),
    });
    await mark.reached;
    const writer = sink.getWriter();
    await writer.write(bytes(100, 1));
    const closing = writer.close();
    await publication.reached;
    mark.open();
    const sweeper = await sweeping;
    publication.open();
    await closing;
    assert.deepEqual(await listIds(sweeper), [sink.id]);
    assert.equal((await sweeper.verify(sink.id)).ok, true);
    for (const each of [store, sweeper]) await each.close();
  });

  it("removes meta.json that a writer has put at its last moment", async () => {
    const bucket = memoryBucket();
    let isDead = false;
    const publication = new Gate();
    const publishing = always(bucket.fetch, isPublication, async (send) => {
      await publication.pass(send);
      isDead = true;
      throw new TypeError("connection reset");
    });
    const store = await bucket.open({
      tuning: { retry: { budgetMs: 0 } },
      fetch: (url, init) =>
        isDead ? Promise.reject(new TypeError("dead")) : publishing(url, init),
    });
    const saving = store.save(INIT, bytes(100, 1)).catch(() => {});
    await publication.reached;
    const removing = new Gate();
    const sweeping = bucket.open({
      sweepAfterMs: 0,
      fetch: always(bucket.fetch, requestFor("DELETE", "claim"), removing.pass),
    });
    await removing.reached;
    publication.open();
    await saving;
    removing.open();
    const sweeper = await sweeping;
    assert.deepEqual(await bucket.names(), []);
    for (const each of [store, sweeper]) await each.close();
  });

  it("stops when it has taken so long that its mark may be gone", async () => {
    const bucket = memoryBucket();
    const time = { now: Date.now() };
    (bucket.memory as MemoryS3).serverTime = () => time.now;
    await bucket.write("3-10-1", "claim", new Uint8Array(1));
    await bucket.write("3-10-1", "state.bin", new Uint8Array(1));
    const removing = new Gate();
    const sweeping = bucket.open({
      sweepAfterMs: 0,
      fetch: always(bucket.fetch, requestFor("DELETE", "claim"), removing.pass),
    });
    await removing.reached;
    time.now += 2 * HOUR;
    removing.open();
    await (await sweeping).close();
    assert.ok((await bucket.names()).includes("3-10-1/state.bin"));
    await (await bucket.open({ sweepAfterMs: 0 })).close();
    assert.deepEqual(await bucket.names(), []);
  });
});
