import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BodyTooLongError,
  exchange,
  type Fetch,
} from "../../src/net/exchange.ts";
import { StallError } from "../../src/net/stall_error.ts";
import { runtime } from "../support/runtime.ts";
import {
  decode,
  encode,
  streamOfChunks,
  until,
} from "../support/store_fixture.ts";

const URL = "http://test.invalid/";
const LONG_MS = 600_000;

/** A body that gives some chunks and then nothing; tells of its cancel. */
function silentBody(...chunks: Uint8Array[]) {
  let reason: unknown;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
    },
    cancel(why) {
      reason = why;
    },
  });
  return { body, reason: () => reason };
}

/** A body as a connection gives it: it can be read into the reader's buffer. */
function received(...chunks: readonly Uint8Array<ArrayBuffer>[]) {
  const left = chunks.map((chunk) => chunk.slice());
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else controller.enqueue(chunk);
    },
  });
}

/** Answers with that body, and keeps the signals that it was given. */
function answering(body: BodyInit | null) {
  const signals: AbortSignal[] = [];
  const fetch: Fetch = (_url, init) => {
    if (init.signal) signals.push(init.signal);
    return Promise.resolve(new Response(body));
  };
  return { fetch, signals };
}

describe("an exchange", () => {
  it("leaves a chunk alone that its maker may still have", async () => {
    const chunk = encode("one");
    const { fetch } = answering(streamOfChunks(chunk, encode("two")));
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
    await made.next();
    await made.next();
    await made.next();
    assert.equal(decode(chunk), "one");
  });

  it(
    "frees a chunk of a byte stream at the next read",
    // Deno reads into one buffer, and Bun's bodies are other streams.
    { skip: runtime.name !== "node" },
    async () => {
      const { fetch } = answering(received(encode("one"), encode("two")));
      const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
      const chunk = await made.next();
      assert.equal(decode(chunk ?? new Uint8Array()), "one");
      assert.equal(decode(await made.next() ?? new Uint8Array()), "two");
      assert.equal(chunk?.byteLength, 0);
      assert.equal(await made.next(), undefined);
    },
  );

  it("gives the body chunk by chunk, and as a whole", async () => {
    const body = () => streamOfChunks(encode("one"), encode("two"));
    const options = (chunks: BodyInit) => ({
      fetch: answering(chunks).fetch,
      stallMs: LONG_MS,
    });
    const made = await exchange(URL, {}, options(body()));
    assert.deepEqual(await made.next(), encode("one"));
    assert.deepEqual(await made.next(), encode("two"));
    assert.equal(await made.next(), undefined);
    const whole = await exchange(URL, {}, options(body()));
    assert.deepEqual(await whole.readAll(6), encode("onetwo"));
  });

  it("gives a body that came over a connection", async () => {
    const lengths = [1, 700_000, 3, 64 * 1024];
    const chunks = lengths.map((length, i) => new Uint8Array(length).fill(i));
    const all = new Uint8Array(await new Blob(chunks).arrayBuffer());
    const options = () => ({
      fetch: answering(received(...chunks)).fetch,
      stallMs: LONG_MS,
    });
    const whole = await exchange(URL, {}, options());
    assert.deepEqual(await whole.readAll(all.length), all);
    const made = await exchange(URL, {}, options());
    let position = 0;
    for (;;) {
      const bytes = await made.next();
      if (bytes === undefined) break;
      assert.ok(bytes.every((byte) => byte === all[position++]));
    }
    assert.equal(position, all.length);
    assert.equal(await made.next(), undefined);
  });

  it("reads an answer without a body as empty", async () => {
    const { fetch } = answering(null);
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
    assert.equal((await made.readAll(0)).length, 0);
  });

  it("fails when no answer comes, and aborts the request", async () => {
    let signal: AbortSignal | null | undefined;
    const fetch: Fetch = (_url, init) => {
      signal = init.signal;
      return new Promise(() => {});
    };
    await assert.rejects(exchange(URL, {}, { fetch, stallMs: 1 }), StallError);
    assert.equal(signal?.aborted, true);
  });

  it("cancels an answer that comes too late", async () => {
    let isCancelled = false;
    const body = new ReadableStream({
      cancel: () => void (isCancelled = true),
    });
    let answer: (response: Response) => void = () => {};
    const fetch: Fetch = () => new Promise((resolve) => answer = resolve);
    await assert.rejects(exchange(URL, {}, { fetch, stallMs: 1 }), StallError);
    answer(new Response(body));
    await until(() => isCancelled, "the cancel of the body");
  });

  it("fails when the body stalls, and gives the connection up", async () => {
    const { body, reason } = silentBody(encode("one"));
    const { fetch, signals } = answering(body);
    const made = await exchange(URL, {}, { fetch, stallMs: 20 });
    assert.deepEqual(await made.next(), encode("one"));
    await assert.rejects(made.next(), StallError);
    assert.equal(signals[0]?.aborted, true);
    assert.ok(reason() instanceof StallError);
  });

  it("ends with the reason of a signal, during a read too", async () => {
    const { body } = silentBody();
    const { fetch, signals } = answering(body);
    const controller = new AbortController();
    const { signal } = controller;
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS, signal });
    const reading = made.next();
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(reading, (error) => error === reason);
    assert.equal(signals[0]?.aborted, true);
    const early = exchange(URL, {}, { fetch, stallMs: LONG_MS, signal });
    await assert.rejects(early, (error) => error === reason);
  });

  it("leaves no listener on a signal, whichever way it ends", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    const counting: AbortSignal = Object.assign(signal, {
      addEventListener(type: "abort", listener: () => void) {
        listeners++;
        addEventListener.call(signal, type, listener);
      },
      removeEventListener(type: "abort", listener: () => void) {
        listeners--;
        removeEventListener.call(signal, type, listener);
      },
    });
    const options = { stallMs: LONG_MS, signal: counting };
    const { fetch } = answering("body");
    const read = await exchange(URL, {}, { fetch, ...options });
    assert.equal(listeners, 1);
    await read.readAll(9);
    (await exchange(URL, {}, { fetch, ...options })).end();
    const failing: Fetch = () => Promise.reject(new TypeError("no"));
    await assert.rejects(exchange(URL, {}, { fetch: failing, ...options }));
    assert.equal(listeners, 0);
  });

  it("fails when it is read on after its end, which is not the body's", async () => {
    const { body } = silentBody(encode("one"));
    const { fetch } = answering(body);
    const controller = new AbortController();
    const { signal } = controller;
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS, signal });
    assert.deepEqual(await made.next(), encode("one"));
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(made.readAll(9), (error) => error === reason);
  });

  it("refuses a body that is too long, before it has read all of it", async () => {
    const { body, reason } = silentBody(encode("12"), encode("34"));
    const { fetch } = answering(body);
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
    await assert.rejects(made.readAll(3), BodyTooLongError);
    assert.ok(reason() instanceof BodyTooLongError);
  });

  it("makes room for a short body, not for the longest one", async () => {
    for (const length of [0, 300]) {
      const rooms: number[] = [];
      const bytes = new Uint8Array(length).fill(7);
      const body = new ReadableStream({
        type: "bytes",
        pull(controller) {
          // Not on runtimes whose own chunks are taken.
          rooms.push(controller.byobRequest?.view?.byteLength ?? 0);
          if (rooms.length === 1 && length > 0) {
            controller.enqueue(bytes.slice());
          } else {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
      });
      const headers = { "content-length": String(length) };
      const fetch: Fetch = () =>
        Promise.resolve(new Response(body, { headers }));
      const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
      assert.deepEqual(await made.readAll(1000), bytes);
      assert.ok(rooms.every((room) => room <= 1024), String(rooms));
    }
  });

  it("keeps no copy of each chunk of a body that comes byte by byte", async () => {
    let copies = 0;
    class Chunk extends Uint8Array {
      override slice(start?: number, end?: number) {
        copies++;
        return super.slice(start, end);
      }
    }
    const all = new Uint8Array(1000).map((_, i) => i);
    const chunks = [...all].map((byte) => Chunk.of(byte));
    const { fetch } = answering(streamOfChunks(...chunks));
    const made = await exchange(URL, {}, { fetch, stallMs: LONG_MS });
    assert.deepEqual(await made.readAll(all.length), all);
    assert.equal(copies, 0);
  });

  it("passes on the failure of fetch", async () => {
    const error = new TypeError("fetch failed");
    const fetch: Fetch = () => Promise.reject(error);
    const made = exchange(URL, {}, { fetch, stallMs: LONG_MS });
    await assert.rejects(made, (found) => found === error);
  });
});
