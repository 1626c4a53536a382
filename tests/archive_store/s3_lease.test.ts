import assert from "node:assert/strict";
import { once as eventOf } from "node:events";
import { describe, it } from "node:test";
import type { LeaseTimes } from "../../src/archive_store/s3_lease.ts";
import {
  S3ArchiveStore,
  type S3ArchiveStoreOptions,
} from "../../src/archive_store/s3_archive_store.ts";
import type { Fetch } from "../../src/net/exchange.ts";
import { memoryBucket, QUICK, type TestBucket } from "../support/s3/bucket.ts";
import { once, requestFor } from "../support/s3/interceptions.ts";
import { type Fault, FAULTS, FaultyNetwork } from "../support/s3/faults.ts";

/** Long enough for the slowest machine not to renew in between. */
const NEVER: LeaseTimes = { leaseMs: 30_000, renewMs: 1_000_000 };

function storeIn(
  bucket: TestBucket,
  { lease = NEVER, ...options }: S3ArchiveStoreOptions & {
    readonly lease?: LeaseTimes;
  } = {},
): S3ArchiveStore {
  const { location, endpoint, credentials, fetch } = bucket;
  return new S3ArchiveStore(
    location,
    { endpoint, credentials, fetch, ...options },
    { retry: QUICK, lease },
  );
}

/** The server's clock is ahead by so many milliseconds from now on. */
function advance(bucket: TestBucket, ms: number): void {
  const { memory } = bucket;
  assert.ok(memory !== undefined);
  const before = memory.serverTime;
  memory.serverTime = () => before() + ms;
}

function leaseText(bucket: TestBucket): string {
  for (const [key, { body }] of bucket.memory?.objects ?? []) {
    if (key.endsWith("/lease.json")) return new TextDecoder().decode(body);
  }
  return assert.fail("there is no lease");
}

const isHeld = { name: "StoreLockedError", code: "ERR_STORE_LOCKED" };

describe("the lease of a bucket", () => {
  it("ends by the server's clock when its holder is killed", async () => {
    const bucket = memoryBucket();
    const killed = await storeIn(bucket).lease();
    advance(bucket, 29_000);
    await assert.rejects(storeIn(bucket).lease(), isHeld);
    advance(bucket, 2_000);
    const next = await storeIn(bucket).lease();
    await assert.rejects(storeIn(bucket).lease(), isHeld);
    // The one that was taken for dead takes nothing from the other.
    await killed.release();
    await assert.rejects(storeIn(bucket).lease(), isHeld);
    await next.release();
  });

  it("is renewed, however long it is held", async () => {
    const bucket = memoryBucket();
    const lease = { leaseMs: 30_000, renewMs: 1 };
    const held = await storeIn(bucket, { lease }).lease();
    while (JSON.parse(leaseText(bucket)).renewal < 3) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(held.signal.aborted, false);
    await held.release();
    assert.equal(JSON.parse(leaseText(bucket)).released, true);
    await (await storeIn(bucket).lease()).release();
  });

  it("tells its holder when another process has taken it", async () => {
    const bucket = memoryBucket();
    const lease = { leaseMs: 30_000, renewMs: 20 };
    // As a process that is suspended.
    let suspension = Promise.resolve();
    let resume = () => {};
    const fetch: Fetch = async (url, init) => {
      await suspension;
      return await bucket.fetch(url, init);
    };
    const held = await storeIn(bucket, { lease, fetch }).lease();
    suspension = new Promise<void>((resolve) => resume = resolve);
    advance(bucket, 31_000);
    const other = await storeIn(bucket).lease();
    resume();
    if (!held.signal.aborted) await eventOf(held.signal, "abort");
    assert.match(String(held.signal.reason), /another process has it/);
    await held.release();
    await assert.rejects(storeIn(bucket).lease(), isHeld);
    await other.release();
  });

  it("tells its holder in time when it can't be renewed", async () => {
    const bucket = memoryBucket();
    const lease = { leaseMs: 100, renewMs: 10 };
    let isDown = false;
    const fetch: Fetch = (url, init) =>
      isDown
        ? Promise.reject(new TypeError("connection refused"))
        : bucket.fetch(url, init);
    const held = await storeIn(bucket, { lease, fetch }).lease();
    isDown = true;
    if (!held.signal.aborted) await eventOf(held.signal, "abort");
    assert.match(String(held.signal.reason), /could not be renewed/);
    await held.release();
  });

  it("goes to one of many that want it at a time", async () => {
    const bucket = memoryBucket();
    for (const round of ["free", "released"]) {
      const wanting = Array.from({ length: 8 }, () => storeIn(bucket).lease());
      const outcomes = await Promise.allSettled(wanting);
      const won = outcomes.flatMap((each) =>
        each.status === "fulfilled" ? each.value : []
      );
      assert.equal(won.length, 1, round);
      for (const each of won) await each.release();
    }
  });

  it("is taken, and given up, also when an answer is lost", async () => {
    for (const fault of FAULTS) {
      // Requests that come later are another test's.
      if (fault === "late request") continue;
      const bucket = memoryBucket();
      const plan = planOf(fault);
      const network = new FaultyNetwork(bucket.fetch, plan);
      const { fetch } = network;
      const options = { fetch, stallTimeoutMs: 50 };
      let held;
      try {
        held = await storeIn(bucket, options).lease();
      } catch (error) {
        // The write did not come to be, and is not tried again.
        const { name } = error as Error;
        assert.equal(name, "StoreAccessError", `${fault}: ${error}`);
        await (await storeIn(bucket).lease()).release();
        continue;
      }
      await assert.rejects(storeIn(bucket).lease(), isHeld, fault);
      await held.release();
      await (await storeIn(bucket).lease()).release();
    }
  });

  it("is refused where something else is in its place", async () => {
    for (const text of ["", "{}", "[]", "null", "\u001b[2J", '{"token":1}']) {
      const bucket = memoryBucket();
      await (await storeIn(bucket).lease()).release();
      const { objects } = bucket.memory ?? assert.fail();
      for (const [key, object] of objects) {
        const body = new TextEncoder().encode(text);
        objects.set(key, { ...object, body });
      }
      await assert.rejects(storeIn(bucket).lease(), {
        name: "StoreAccessError",
        message: /found another object, expected a lease/,
      });
    }
  });

  it("is read again when an answer without a length was cut", async () => {
    const bucket = memoryBucket();
    const held = await storeIn(bucket).lease();
    let cuts = 0;
    const cutOnce = (count: number): Fetch =>
      once(bucket.fetch, requestFor("GET", "lease.json"), async (send) => {
        cuts++;
        const { headers, body } = await send();
        const bytes = await new Response(body).arrayBuffer();
        headers.delete("content-length");
        return new Response(bytes.slice(0, count), { headers });
      });
    const { length } = leaseText(bucket);
    for (const count of [0, 1, length - 2]) {
      const fetch = cutOnce(count);
      await assert.rejects(storeIn(bucket, { fetch }).lease(), isHeld);
    }
    assert.equal(cuts, 3);
    await held.release();
  });

  it("is refused where the server has no conditional writes", async () => {
    const bucket = memoryBucket();
    const store = storeIn(bucket, { conditionalWrites: "none" });
    await assert.rejects(store.lease(), {
      name: "StoreAccessError",
      message: /needs conditional writes/,
    });
  });

  it("shows the text of a record without steering the terminal", async () => {
    const bucket = memoryBucket();
    const held = await storeIn(bucket).lease();
    const { objects } = bucket.memory ?? assert.fail();
    for (const [key, object] of objects) {
      const record = JSON.parse(new TextDecoder().decode(object.body));
      const text = JSON.stringify({ ...record, host: "\u001b[31mred" });
      objects.set(key, { ...object, body: new TextEncoder().encode(text) });
    }
    await assert.rejects(storeIn(bucket).lease(), ({ message }: Error) => {
      assert.ok(!message.includes("\u001b"));
      assert.match(message, /red/);
      return true;
    });
    await held.release();
  });
});

/** Fails the write of the lease, once. */
function planOf(fault: Fault) {
  let left = 1;
  return ({ name }: { readonly name: string }) =>
    name.startsWith("PUT") && left-- > 0 ? fault : undefined;
}
