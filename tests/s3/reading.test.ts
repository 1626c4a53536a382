/**
 * Reading a state over a network that cuts connections.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type SnapshotStore,
  SnapshotUnreadableError,
  StoreAccessError,
  type VerifyMode,
} from "@raft/snapshots";
import type { Fetch } from "../../src/net/exchange.ts";
import { bytes } from "../support/random.ts";
import { makeBucket, type TestBucket } from "../support/s3/bucket.ts";
import { always, once, requestFor } from "../support/s3/interceptions.ts";
import { save } from "../support/store_fixture.ts";

const SIZE = 3_000_001;

/** Cuts the answers with a state after so many bytes. */
class Cutter {
  readonly #bucket: TestBucket;
  cuts = 0;
  /** Bytes of states that were handed on. */
  bytes = 0;
  /** The headers of the requests for states. */
  readonly requests: Headers[] = [];

  constructor(bucket: TestBucket) {
    this.#bucket = bucket;
  }

  fetchFor(cutAfter: number, how: "error" | "end"): Fetch {
    return async (url, init) => {
      const response = await this.#bucket.fetch(url, init);
      if (init.method !== "GET" || !url.endsWith("/state.bin")) return response;
      this.requests.push(new Headers(init.headers));
      const { status, headers, body } = response;
      const cut = body?.pipeThrough(this.#cut(cutAfter, how));
      return new Response(cut, { status, headers });
    };
  }

  #cut(cutAfter: number, how: "error" | "end") {
    let left = cutAfter;
    return new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        const part = chunk.subarray(0, left);
        if (part.length > 0) controller.enqueue(part);
        this.bytes += part.length;
        left -= part.length;
        if (left > 0) return;
        this.cuts++;
        if (how === "end") controller.terminate();
        else controller.error(new TypeError("connection reset"));
      },
    });
  }
}

async function prepare(blockSize?: number) {
  const bucket = makeBucket();
  const writer = await bucket.open({ blockSize });
  const state = bytes(SIZE, 7);
  const id = await save(writer, state);
  await writer.close();
  return { bucket, state, id };
}

async function readAll(store: SnapshotStore, id: string, verify: VerifyMode) {
  const source = await store.open(id, { verify });
  return new Uint8Array(await new Response(source).arrayBuffer());
}

describe("a small object in a bucket", () => {
  it("is read again when the answer just ends", async () => {
    const { bucket, id } = await prepare();
    const isMeta = requestFor("GET", "meta.json");
    const store = await bucket.open({
      fetch: once(bucket.fetch, isMeta, async (send) => {
        const response = await send();
        const { status, headers } = response;
        const half = (await response.arrayBuffer()).slice(0, 10);
        return new Response(half, { status, headers });
      }),
    });
    assert.equal((await store.stat(id)).size, SIZE);
    await store.close();
  });

  it("is never taken for a corrupt one when the answer has no length and just ends", async () => {
    const { bucket, id } = await prepare();
    const withoutEnd = async (send: () => Promise<Response>) => {
      const response = await send();
      const headers = new Headers(response.headers);
      headers.delete("content-length");
      const half = (await response.arrayBuffer()).slice(0, 40);
      return new Response(half, { status: response.status, headers });
    };
    for (const name of ["meta.json", "blocks.crc64"]) {
      const isMeant = requestFor("GET", name);
      const store = await bucket.open({
        fetch: once(bucket.fetch, isMeant, withoutEnd),
      });
      assert.equal((await store.verify(id)).ok, true);
      assert.equal(bucket.log.matching("warn", "after 40 of").length, 1, name);
      await store.close();
      bucket.log.lines.length = 0;
    }
    const store = await bucket.open({
      fetch: always(bucket.fetch, requestFor("GET", "meta.json"), withoutEnd),
      tuning: { retry: { budgetMs: 0 } },
    });
    await assert.rejects(store.stat(id), StoreAccessError);
    await assert.rejects(store.restore(() => {}), StoreAccessError);
    await store.close();
  });
});

describe("a state in a bucket", () => {
  for (const sealed of [true, false]) {
    for (const verify of ["auto", "stream"] as const) {
      const what = sealed ? "block checksums" : "no block checksums";
      it(`is read whole over 48 cut connections, with ${what} and verify: "${verify}"`, async () => {
        const { bucket, state, id } = await prepare();
        if (!sealed) await bucket.remove(id, "blocks.crc64");
        const cutter = new Cutter(bucket);
        const fetch = cutter.fetchFor(Math.ceil(SIZE / 49), "error");
        const store = await bucket.open({ fetch });
        assert.deepEqual(await readAll(store, id, verify), state);
        assert.ok(cutter.cuts >= 48, `${cutter.cuts} cuts`);
        // Without block checksums, "auto" reads it twice.
        const passes = !sealed && verify === "auto" ? 2 : 1;
        assert.equal(cutter.bytes, passes * SIZE, "no byte is fetched again");
        await store.close();
      });
    }
  }

  it("is read on after a chunk without bytes", async () => {
    const { bucket, state, id } = await prepare();
    const withEmptyChunks = () =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(new Uint8Array());
          controller.enqueue(chunk);
        },
      });
    const store = await bucket.open({
      fetch: async (url, init) => {
        const response = await bucket.fetch(url, init);
        if (!requestFor("GET", "state.bin")(url, init)) return response;
        const { status, headers, body } = response;
        const chunks = body?.pipeThrough(withEmptyChunks());
        // Not a response with that body: some runtimes drop empty chunks.
        return Object.create(response, {
          status: { value: status },
          headers: { value: headers },
          body: { value: chunks },
        });
      },
    });
    assert.deepEqual(await readAll(store, id, "auto"), state);
    assert.deepEqual(bucket.log.matching("warn"), []);
    await store.close();
  });

  it("is read on when the answer just ends", async () => {
    const { bucket, state, id } = await prepare();
    const cutter = new Cutter(bucket);
    const store = await bucket.open({ fetch: cutter.fetchFor(700_000, "end") });
    assert.deepEqual(await readAll(store, id, "auto"), state);
    assert.ok(cutter.cuts >= 4);
    await store.close();
  });

  it("is asked for by version, and not compressed", async () => {
    const { bucket, id } = await prepare();
    const etag = (await bucket.objects()).get(`${id}/state.bin`)?.etag;
    const cutter = new Cutter(bucket);
    const store = await bucket.open({
      fetch: cutter.fetchFor(SIZE + 1, "end"),
    });
    await readAll(store, id, "auto");
    const [headers] = cutter.requests as [Headers];
    assert.equal(headers.get("if-match"), etag);
    assert.equal(headers.get("accept-encoding"), "identity");
    assert.ok(!headers.get("authorization")?.includes("accept-encoding"));
    assert.equal(cutter.requests.length, 1);
    await store.close();
  });

  it("is fetched only as far as a range needs it", async () => {
    const { bucket, state, id } = await prepare(64 * 1024);
    const cutter = new Cutter(bucket);
    const store = await bucket.open({ fetch: cutter.fetchFor(SIZE, "end") });
    const [start, end] = [1_000_000, 1_000_100];
    const source = await store.open(id, { start, end });
    const part = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(part, state.slice(start, end));
    assert.ok(cutter.bytes <= 2 * 64 * 1024, `${cutter.bytes} bytes`);
    await store.close();
  });

  it("is not taken for another one that replaced it while it was read", async () => {
    const { bucket, id } = await prepare(64 * 1024);
    const cutter = new Cutter(bucket);
    const fetch = cutter.fetchFor(100_000, "error");
    const store = await bucket.open({ fetch });
    const reader = (await store.open(id)).getReader();
    await reader.read();
    await bucket.write(id, "state.bin", bytes(SIZE, 8));
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    await assert.rejects(rest, SnapshotUnreadableError);
    await store.close();
  });

  it("is not read from a server that answers another range", async () => {
    const { bucket, id } = await prepare();
    const fetch: Fetch = async (url, init) => {
      const headers = new Headers(init.headers);
      const isState = init.method === "GET" && url.endsWith("/state.bin");
      const response = await bucket.fetch(url, init);
      if (!isState) return response;
      const given = new Headers(response.headers);
      given.set("content-range", `bytes 1-${SIZE - 1}/${SIZE}`);
      assert.ok(headers.has("range"));
      return new Response(response.body, { status: 206, headers: given });
    };
    const store = await bucket.open({
      fetch,
      tuning: { retry: { budgetMs: 0 } },
    });
    await assert.rejects(readAll(store, id, "auto"), StoreAccessError);
    await store.close();
  });

  it("gives up after a while when the network stays silent", async () => {
    const { bucket, id } = await prepare();
    const fetch: Fetch = async (url, init) => {
      const response = await bucket.fetch(url, init);
      if (init.method !== "GET" || !url.endsWith("/state.bin")) return response;
      await response.body?.cancel();
      const { status, headers } = response;
      return new Response(new ReadableStream(), { status, headers });
    };
    const tuning = { retry: { budgetMs: 50, pauseMs: 1 } };
    // Long enough for a busy machine to answer the requests that are not silent.
    const store = await bucket.open({ fetch, stallTimeoutMs: 1500, tuning });
    await assert.rejects(readAll(store, id, "auto"), (error: Error) => {
      assert.ok(error instanceof StoreAccessError, String(error));
      assert.match(error.message, /1500 ms/);
      return true;
    });
    await store.close();
  });
});
