/**
 * Removing, sweeping and retaining: by the server's clock, and by the bucket's
 * rules.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotRetainedError } from "@raft/snapshots";
import { bytes } from "../../support/random.ts";
import { memoryBucket } from "../../support/s3/bucket.ts";
import type { MemoryS3, MemoryS3Options } from "../../support/s3/memory_s3.ts";
import { FaultyNetwork } from "../../support/s3/faults.ts";
import { INIT, listIds, save } from "../../support/store_fixture.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PART = 4096;

/** A bucket whose server has a clock that the test sets. */
function bucketWithClock(denies: MemoryS3Options["denies"] = () => false) {
  const time = { now: Date.now() };
  // Signatures are checked against the real time.
  const bucket = memoryBucket({
    partSizeMin: PART,
    denies,
  });
  (bucket.memory as MemoryS3).serverTime = () => time.now;
  return { bucket, time };
}

/** Leaves the remains of a process that ends while it writes. */
async function leaveUnfinished(
  bucket: ReturnType<typeof memoryBucket>,
  index = INIT.index,
) {
  let isDead = false;
  const network = new FaultyNetwork(
    bucket.fetch,
    () => isDead ? "lost request" : undefined,
  );
  const tuning = { retry: { budgetMs: 0 }, partSize: PART };
  const store = await bucket.open({
    fetch: network.fetch,
    tuning,
    blockSize: 1024,
  });
  const sink = await store.create({ ...INIT, index });
  const writer = sink.getWriter();
  await writer.write(bytes(3 * PART, 1));
  isDead = true;
  await store.close();
  writer.closed.catch(() => {});
  bucket.log.lines.length = 0;
  return sink.id;
}

describe("opening a bucket", () => {
  it("sweeps remains that are a day old by the server's clock, and no younger ones", async () => {
    const { bucket, time } = bucketWithClock();
    const id = await leaveUnfinished(bucket);
    assert.deepEqual(await bucket.names(), [`${id}/claim`]);
    assert.equal(await bucket.uploadCount(), 1);
    time.now += DAY - 1000;
    await (await bucket.open()).close();
    assert.deepEqual(await bucket.names(), [`${id}/claim`]);
    assert.equal(await bucket.uploadCount(), 1);
    time.now += 2000;
    await (await bucket.open()).close();
    assert.deepEqual(await bucket.names(), []);
    assert.equal(await bucket.uploadCount(), 0);
  });

  it("sweeps the other uploads when one can't be aborted, and reports that one", async () => {
    const { bucket, time } = bucketWithClock((method, key, query) =>
      method === "DELETE" && query.has("uploadId") &&
      key.includes(`/${stuck}/`)
    );
    const stuck = await leaveUnfinished(bucket, 1n);
    await leaveUnfinished(bucket, 2n);
    await leaveUnfinished(bucket, 3n);
    time.now += 2 * DAY;
    const failed: (string | undefined)[] = [];
    const store = await bucket.open({
      onEvent: (event) => {
        if (event.type === "failed") failed.push(event.id);
      },
    });
    await store.close();
    assert.equal(await bucket.uploadCount(), 1);
    assert.deepEqual(failed, [stuck]);
  });

  it("sweeps nothing when it is read-only", async () => {
    const { bucket, time } = bucketWithClock();
    const id = await leaveUnfinished(bucket);
    time.now += 10 * DAY;
    const store = await bucket.open({ readOnly: true, sweepAfterMs: 0 });
    assert.deepEqual(await store.list(), []);
    await store.close();
    assert.deepEqual(await bucket.names(), [`${id}/claim`]);
  });

  it("works without the right to delete, and marks nothing", async () => {
    const { bucket, time } = bucketWithClock((method) => method === "DELETE");
    const id = await leaveUnfinished(bucket);
    time.now += 10 * DAY;
    const store = await bucket.open();
    const next = await save(store, "state", { index: 11 });
    assert.deepEqual(await listIds(store), [next]);
    await store.close();
    const left = (await bucket.names()).filter((name) => name.startsWith(id));
    assert.deepEqual(left, [`${id}/claim`]);
    assert.deepEqual(bucket.log.matching("warn"), []);
  });

  it("leaves a snapshot that was published while it was about to be swept", async () => {
    const { bucket, time } = bucketWithClock();
    const store = await bucket.open();
    const id = await save(store, "state");
    await bucket.write(
      id,
      `abandoned-${crypto.randomUUID()}`,
      new Uint8Array(),
    );
    assert.deepEqual(await store.list(), []);
    // Another sweep may be at work: its mark stays.
    await (await bucket.open({ sweepAfterMs: 0 })).close();
    assert.deepEqual(await store.list(), []);
    time.now += 2 * HOUR;
    await (await bucket.open({ sweepAfterMs: 0 })).close();
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });
});

describe("removing from a bucket", () => {
  it("keeps the bytes for the grace time, by the server's clock", async () => {
    const { bucket, time } = bucketWithClock();
    const store = await bucket.open({ graceMs: HOUR });
    const id = await save(store, "state");
    await store.delete(id);
    time.now += HOUR - 2000;
    await store.reap();
    assert.ok((await bucket.names()).includes(`${id}/state.bin`));
    assert.ok(!(await bucket.names()).includes(`${id}/meta.json`));
    const mayBeUnderWay = async () =>
      (await store.inspect()).unfinished.map((each) => each.mayBeUnderWay);
    assert.deepEqual(await mayBeUnderWay(), [true]);
    time.now += 4000;
    assert.deepEqual(await mayBeUnderWay(), [false]);
    await store.list();
    await store.reap();
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });

  it("leaves a retained snapshot as it is, and says so once", async () => {
    const { bucket } = bucketWithClock((method) => method === "DELETE");
    const store = await bucket.open({ retain: 1 });
    const ids: string[] = [];
    for (const index of [1, 2, 3]) {
      ids.unshift(await save(store, "s", { index }));
    }
    const before = await bucket.names();
    await store.reap();
    await store.reap();
    for (const id of ids) {
      await assert.rejects(store.delete(id), SnapshotRetainedError);
    }
    assert.deepEqual(await listIds(store), ids);
    assert.deepEqual(await bucket.names(), before);
    assert.equal(bucket.log.matching("warn").length, 1);
    await store.close();
  });

  it("keeps a snapshot without a claim, too, when it has no right to delete", async () => {
    let mayDelete = true;
    const { bucket } = bucketWithClock((method) =>
      method === "DELETE" && !mayDelete
    );
    const store = await bucket.open();
    const id = await save(store, "state");
    // As one that was copied up from a directory.
    await bucket.remove(id, "claim");
    mayDelete = false;
    await assert.rejects(store.delete(id), SnapshotRetainedError);
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("takes its mark back when only meta.json is retained", async () => {
    const denies = (method: string, key: string) =>
      method === "DELETE" && key.endsWith("/meta.json");
    const { bucket } = bucketWithClock(denies);
    const store = await bucket.open();
    const id = await save(store, "state");
    await assert.rejects(store.delete(id), SnapshotRetainedError);
    assert.deepEqual(await listIds(store), [id]);
    assert.ok(!(await bucket.names()).includes(`${id}/deleted`));
    await store.close();
  });

  it("continues removals that another process has begun", async () => {
    const { bucket } = bucketWithClock();
    const store = await bucket.open();
    const id = await save(store, "state");
    // It ended between the two steps.
    await bucket.write(id, "deleted", new Uint8Array());
    assert.deepEqual(await store.list(), []);
    await store.reap();
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });
});

describe("quarantine in a bucket", () => {
  it("keeps a corrupt snapshot under a mark", async () => {
    const { bucket } = bucketWithClock();
    const store = await bucket.open();
    const good = await save(store, "good", { index: 1 });
    const bad = await save(store, "bad", { index: 2 });
    await bucket.corrupt(bad);
    await store.restore((source) => new Response(source).text());
    assert.deepEqual(await listIds(store), [good]);
    assert.ok((await bucket.names()).includes(`${bad}/corrupt`));
    assert.ok((await bucket.names()).includes(`${bad}/meta.json`));
    await store.close();
  });
});

describe("clean() of a bucket", () => {
  it("removes the remains of another process, by their age", async () => {
    const { bucket, time } = bucketWithClock();
    const id = await leaveUnfinished(bucket);
    time.now += HOUR;
    const store = await bucket.open();
    const sink = await store.create({ ...INIT, index: 20n });
    const [mine, other, ...more] = (await store.inspect()).unfinished;
    assert.deepEqual([mine?.id, other?.id, more], [sink.id, id, []]);
    assert.ok(mine?.mayBeUnderWay && other?.mayBeUnderWay);
    const young = await store.clean();
    assert.deepEqual(young.left.map((each) => each.id), [sink.id, id]);
    const { removed, left, failed } = await store.clean({
      olderThanMs: HOUR / 2,
    });
    assert.deepEqual(removed.map((each) => each.id), [id]);
    assert.deepEqual(left.map((each) => each.id), [sink.id]);
    assert.deepEqual(failed, []);
    assert.equal(await bucket.uploadCount(), 0);
    await sink.close();
    assert.deepEqual(await listIds(store), [sink.id]);
    await store.close();
  });

  it("reports the unfinished snapshot that could not be removed", async () => {
    const { bucket } = bucketWithClock((method) => method === "DELETE");
    const id = await leaveUnfinished(bucket);
    const store = await bucket.open();
    const { removed, failed } = await store.clean({ olderThanMs: 0 });
    assert.deepEqual(removed, []);
    assert.deepEqual(failed.map((each) => each.id), [id]);
    assert.deepEqual(await bucket.names(), [`${id}/claim`]);
    await store.close();
  });
});
