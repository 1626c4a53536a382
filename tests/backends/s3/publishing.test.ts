/**
 * The publication of a snapshot in a bucket: its outcome for the writer, and
 * the objects that stay.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  SnapshotPublishError,
  type SnapshotStore,
  StoreAccessError,
} from "@raft/snapshots";
import { bytes } from "../../support/random.ts";
import {
  memoryBucket,
  type OpenBucketOptions,
} from "../../support/s3/bucket.ts";
import {
  always,
  loseAnswer,
  once,
  requestFor,
} from "../../support/s3/interceptions.ts";
import type { Fetch } from "../../../src/net/exchange.ts";
import type { MemoryS3 } from "../../support/s3/memory_s3.ts";
import {
  INIT,
  letOthersWork,
  listIds,
  save,
} from "../../support/store_fixture.ts";

const PART = 4096;
const HOUR = 3_600_000;
const SWEEP_MARK = `abandoned-${crypto.randomUUID()}`;

function openSmall(
  bucket: ReturnType<typeof memoryBucket>,
  options: OpenBucketOptions = {},
): Promise<SnapshotStore> {
  const tuning = { partSize: PART, retry: { budgetMs: 200, pauseMs: 1 } };
  return bucket.open({ blockSize: 1000, tuning, ...options });
}

/** The error of a failed publication. */
async function publishError(
  saving: Promise<unknown>,
): Promise<SnapshotPublishError> {
  const error = await saving.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof SnapshotPublishError, String(error));
  return error;
}

const isPublication = requestFor("PUT", "meta.json");

/** Loses parts of the snapshot just before its publication. */
function losing(
  bucket: ReturnType<typeof memoryBucket>,
  parts: readonly string[],
): OpenBucketOptions["fetch"] {
  return once(bucket.fetch, isPublication, async (send) => {
    const id = (await bucket.names())[0]?.split("/")[0] ?? "";
    for (const part of parts) await bucket.remove(id, part);
    return await send();
  });
}

describe("the publication of a snapshot", () => {
  it("is not a failure when the answer was lost, and the next one is 412", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: once(bucket.fetch, isPublication, loseAnswer),
    });
    const id = await save(store, "state");
    assert.deepEqual(await listIds(store), [id]);
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("has the ID that it has claimed, also when that answer was lost", async () => {
    const bucket = memoryBucket();
    const isClaim = requestFor("PUT", "claim");
    const clock = () => 1_700_000_000_000;
    const store = await bucket.open({
      clock,
      fetch: once(bucket.fetch, isClaim, loseAnswer),
    });
    const { id } = await store.save(INIT, bytes(10, 1));
    assert.equal(id, "3-10-1700000000000");
    await store.close();
  });

  it("is not a failure when its good answer can't be read", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: once(bucket.fetch, isPublication, async (send) => {
        await send();
        return new Response("x".repeat(5_000_000));
      }),
    });
    const { id } = await store.save(INIT, bytes(10, 1));
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("is not known when the object in its way is not found any more", async () => {
    const bucket = memoryBucket();
    const isLook = requestFor("HEAD", "meta.json");
    const lost = once(bucket.fetch, isPublication, loseAnswer);
    const store = await openSmall(bucket, {
      // The account's key has ended, which a HEAD can't say.
      fetch: always(
        lost,
        isLook,
        () => Promise.resolve(new Response(null, { status: 404 })),
      ),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    assert.equal((await listIds(store)).length, 1);
    await store.close();
  });

  it("is not known without conditions, when the object is not found", async () => {
    const bucket = memoryBucket();
    const isLook = requestFor("HEAD", "meta.json");
    let looks = 0;
    const store = await openSmall(bucket, {
      conditionalWrites: "none",
      fetch: always(
        bucket.fetch,
        isLook,
        async (send) =>
          looks++ === 0 ? await send() : new Response(null, { status: 404 }),
      ),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    assert.equal((await listIds(store)).length, 1);
    await store.close();
  });

  it("is tried again when the object in its way has gone", async () => {
    const bucket = memoryBucket();
    let isInTheWay = true;
    const store = await openSmall(bucket, {
      fetch: always(bucket.fetch, isPublication, async (send) => {
        if (!isInTheWay) return await send();
        isInTheWay = false;
        return new Response(null, { status: 412 });
      }),
    });
    const { id } = await store.save(INIT, bytes(10, 1));
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("replaces no object that another program's copy has put there", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const foreign = new TextEncoder().encode("another's");
    for (const part of ["blocks.crc64", "state.bin"]) {
      let isCopied = false;
      const copyFirst: Fetch = async (url, init) => {
        const { method = "GET" } = init;
        const isWritten = new URL(url).pathname.endsWith(part) &&
          (method === "PUT" || url.includes("uploadId"));
        if (isWritten && !isCopied) {
          isCopied = true;
          const id = (await bucket.names()).at(-1)?.split("/")[0] ?? "";
          await bucket.write(id, part, foreign);
        }
        return await bucket.fetch(url, init);
      };
      for (const size of [10, 3 * PART]) {
        isCopied = false;
        const store = await openSmall(bucket, { fetch: copyFirst });
        const saving = store.save(INIT, bytes(size, 1));
        const { published, message } = await publishError(saving);
        assert.equal(published, false);
        assert.match(message, /name is taken|another writer has put/);
        await store.close();
        const [name = ""] = (await bucket.names())
          .filter((each) => each.endsWith(part));
        const [id = ""] = name.split("/");
        assert.deepEqual(await bucket.read(id, part), foreign);
        await bucket.remove(id, part);
      }
    }
  });

  it("fails, and leaves the other's objects, when another writer was first", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: once(bucket.fetch, isPublication, async (send) => {
        const id = (await bucket.names())[0]?.split("/")[0] ?? "";
        await bucket.write(id, "meta.json", new TextEncoder().encode("{}"));
        return await send();
      }),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, false);
    const parts = (await bucket.names()).map((name) => name.split("/")[1]);
    assert.deepEqual(parts, [
      "blocks.crc64",
      "claim",
      "meta.json",
      "state.bin",
    ]);
    await store.close();
  });

  it("says that it is not known when no answer comes, and removes nothing", async () => {
    const bucket = memoryBucket();
    let isCut = false;
    const store = await bucket.open({
      tuning: { retry: { budgetMs: 0 } },
      fetch: async (url, init) => {
        if (isPublication(url, init)) {
          isCut = true;
          await bucket.fetch(url, init);
        }
        if (isCut) throw new TypeError("connection reset");
        return await bucket.fetch(url, init);
      },
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    const reader = await bucket.open();
    const [id] = await listIds(reader) as [string];
    assert.equal((await reader.verify(id)).ok, true);
    for (const each of [store, reader]) await each.close();
  });

  it("is in doubt when a sweep has taken it for unfinished meanwhile", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: once(bucket.fetch, isPublication, async (send) => {
        const id = (await bucket.names())[0]?.split("/")[0] ?? "";
        // The first step of a sweep; the next is to look for meta.json.
        await bucket.write(id, SWEEP_MARK, new Uint8Array());
        return await send();
      }),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    assert.match(error.message, /sweepAfterMs is too short/);
    assert.deepEqual(await store.list(), []);
    // That sweep has ended by now.
    (bucket.memory as MemoryS3).serverTime = () => Date.now() + 2 * HOUR;
    const sweeper = await bucket.open({ sweepAfterMs: HOUR });
    const [id] = await listIds(sweeper) as [string];
    assert.equal((await sweeper.verify(id)).ok, true);
    for (const each of [store, sweeper]) await each.close();
  });

  it("fails, and takes meta.json back, when a sweep has removed the state", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: losing(bucket, ["claim", "state.bin"]),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, false);
    assert.match(error.message, /sweepAfterMs is too short/);
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });

  it("is in doubt when the server has lost the state, and not the claim", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      fetch: losing(bucket, ["state.bin"]),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    assert.match(error.message, /may still be at work/);
    const names = (await bucket.names()).map((name) => name.split("/")[1]);
    assert.ok(names.includes("meta.json"), names.join());
    await store.close();
  });

  it("is in doubt when meta.json can't be taken back", async () => {
    const bucket = memoryBucket({
      denies: (method, key) => method === "DELETE" && key.endsWith("meta.json"),
    });
    const store = await bucket.open({
      fetch: losing(bucket, ["claim", "state.bin"]),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    await store.close();
  });

  it("is in doubt without conditions, when the object can't be looked at", async () => {
    const bucket = memoryBucket();
    let isPut = false;
    const isLook = requestFor("HEAD", "meta.json");
    const putting = always(bucket.fetch, isPublication, async (send) => {
      const response = await send();
      isPut = true;
      return response;
    });
    const store = await bucket.open({
      conditionalWrites: "none",
      fetch: always(putting, isLook, async (send) => {
        if (!isPut) return await send();
        return new Response(null, { status: 403 });
      }),
    });
    const error = await publishError(store.save(INIT, bytes(10, 1)));
    assert.equal(error.published, true);
    const [id] = await listIds(store) as [string];
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("fails as the network has, when the answers to other objects are lost", async () => {
    for (const name of ["claim", "state.bin"]) {
      const bucket = memoryBucket();
      const store = await bucket.open({
        tuning: { retry: { budgetMs: 0 } },
        fetch: always(bucket.fetch, requestFor("PUT HEAD", name), loseAnswer),
      });
      const saving = store.save(INIT, bytes(10, 1));
      const error = await saving.then(() => undefined, (reason) => reason);
      const access = name === "claim" ? error : error.cause;
      assert.ok(access instanceof StoreAccessError, `${name}: ${error}`);
      assert.match(access.message, /connection reset; check the endpoint/);
      assert.deepEqual(await store.list(), []);
      await store.close();
    }
  });

  it("works on a server without conditions, for one writer at a time", async () => {
    for (
      const conditionalWrites of ["none", "x-goog-if-generation-match"] as const
    ) {
      const bucket = memoryBucket({ partSizeMin: PART });
      const conditions = new Set<string>();
      const store = await openSmall(bucket, {
        conditionalWrites,
        fetch: (url, init) => {
          const headers = new Headers(init.headers);
          for (const name of ["if-none-match", "x-goog-if-generation-match"]) {
            if (headers.has(name)) {
              conditions.add(`${name}: ${headers.get(name)}`);
            }
          }
          return bucket.fetch(url, init);
        },
      });
      const id = await save(store, bytes(3 * PART, 1));
      assert.equal((await store.verify(id)).ok, true);
      const expected = conditionalWrites === "none"
        ? []
        : [`${conditionalWrites}: 0`];
      assert.deepEqual([...conditions], expected);
      await store.close();
    }
  });
});

describe("closing a store in a bucket", () => {
  it("ends the pause before another attempt", async () => {
    const bucket = memoryBucket();
    let claims = 0;
    let noteClaim = () => {};
    const claimed = new Promise<void>((resolve) => noteClaim = resolve);
    const store = await bucket.open({
      fetch: (url, init) => {
        if (!requestFor("PUT", "claim")(url, init)) {
          return bucket.fetch(url, init);
        }
        claims++;
        noteClaim();
        const headers = { "retry-after": "2" };
        return Promise.resolve(new Response(null, { status: 503, headers }));
      },
    });
    const saving = assert.rejects(store.save(INIT, bytes(10, 1)));
    await claimed;
    await letOthersWork();
    await store.close();
    await saving;
    assert.equal(claims, 1);
  });
});
