import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotCorruptError } from "@raft/snapshots";
import {
  crc64,
  Crc64CheckStream,
  type Crc64CheckStreamOptions,
} from "@raft/snapshots/crc64";
import { bytes } from "../support/random.ts";

type Chunk = Uint8Array<ArrayBuffer>;

const state = bytes(1_000, 1);

/** The state in chunks of 300, 300, 300 and 100 bytes. */
const chunks = [0, 300, 600, 900].map((at) => state.slice(at, at + 300));

const promised: Crc64CheckStreamOptions = { crc: crc64(state), size: 1_000 };

function streamOfChunks(parts: readonly Chunk[]): ReadableStream<Chunk> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** The bytes that a consumer gets, and the error at the end, if any. */
async function consume(
  stream: ReadableStream<Chunk>,
): Promise<{ got: Chunk[]; error: unknown }> {
  const got: Chunk[] = [];
  try {
    for await (const chunk of stream) got.push(chunk);
    return { got, error: undefined };
  } catch (error) {
    return { got, error };
  }
}

async function check(
  parts: readonly Chunk[],
  options: Crc64CheckStreamOptions,
): Promise<{ got: Chunk[]; error: unknown }> {
  return await consume(
    streamOfChunks(parts).pipeThrough(new Crc64CheckStream(options)),
  );
}

function assertCorrupt(error: unknown, details: object): void {
  assert.ok(error instanceof SnapshotCorruptError, String(error));
  const { reason, expected, actual } = error;
  assert.deepEqual({ reason, expected, actual }, details);
}

describe("a check stream that gets the expected bytes", () => {
  it("passes the very chunks on", async () => {
    const { got, error } = await check(chunks, promised);
    assert.equal(error, undefined);
    assert.equal(got.length, chunks.length);
    got.forEach((chunk, i) => assert.equal(chunk, chunks[i]));
  });

  it("ends at once when no bytes are expected", async () => {
    const { got, error } = await check([], { crc: 0n, size: 0 });
    assert.equal(error, undefined);
    assert.deepEqual(got, []);
  });

  it("drops empty chunks", async () => {
    const empty = new Uint8Array();
    const parts = [empty, ...chunks.flatMap((chunk) => [chunk, empty])];
    const { got, error } = await check(parts, promised);
    assert.equal(error, undefined);
    assert.deepEqual(got, chunks);
  });

  it("holds the last chunk back until the end", async () => {
    const { readable, writable } = new Crc64CheckStream(promised);
    const [writer, reader] = [writable.getWriter(), readable.getReader()];
    const got: (Chunk | undefined)[] = [];
    const read = async () => got.push((await reader.read()).value);
    const reads = chunks.map(read);
    // Not even an empty chunk pushes the last one out.
    for (const chunk of [...chunks, new Uint8Array()]) {
      await writer.write(chunk);
    }
    await Promise.all(reads.slice(0, -1));
    assert.deepEqual(got, chunks.slice(0, -1));
    const closed = writer.close();
    await Promise.all(reads);
    assert.deepEqual(got, chunks);
    assert.equal((await reader.read()).done, true);
    await closed;
  });
});

describe("a check stream that gets other bytes", () => {
  it("errors when a bit differs, and keeps the last chunk", async () => {
    for (const wrong of [0, 450, 999]) {
      const parts = chunks.map((chunk) => chunk.slice());
      const part = parts[Math.floor(wrong / 300)] ?? new Uint8Array();
      part[wrong % 300] = (part[wrong % 300] ?? 0) ^ 1;
      const { got, error } = await check(parts, promised);
      const actual = crc64(new Uint8Array(await new Blob(parts).arrayBuffer()));
      assertCorrupt(error, { reason: "crc", expected: promised.crc, actual });
      assert.deepEqual(got, parts.slice(0, -1));
    }
  });

  it("errors when chunks are missing", async () => {
    const { got, error } = await check(chunks.slice(0, 3), promised);
    assertCorrupt(error, { reason: "size", expected: 1_000, actual: 900 });
    assert.deepEqual(got, chunks.slice(0, 2));
  });

  it("errors when there are no bytes", async () => {
    const { got, error } = await check([], promised);
    assertCorrupt(error, { reason: "size", expected: 1_000, actual: 0 });
    assert.deepEqual(got, []);
  });

  it("errors as soon as there is too much, and passes none of it on", async () => {
    const parts = Array.from({ length: 20 }, () => new Uint8Array(300));
    const { got, error } = await check(parts, promised);
    assertCorrupt(error, { reason: "size", expected: 1_000, actual: 1_200 });
    assert.ok(got.length <= 2);
  });

  it("errors when one byte follows the right ones", async () => {
    const { error } = await check([...chunks, new Uint8Array(1)], promised);
    assertCorrupt(error, { reason: "size", expected: 1_000, actual: 1_001 });
  });

  it("errors on chunks that are not bytes", async () => {
    const text = "not bytes" as unknown as Chunk;
    const { error } = await check([text], promised);
    assert.ok(error instanceof TypeError);
  });

  it("names the bytes that can't be trusted", async () => {
    const { error } = await check([], { ...promised, name: "the download" });
    assert.match(String(error), /Cannot trust the download/);
  });

  it("errors its producer", async () => {
    const { writable, readable } = new Crc64CheckStream({ crc: 0n, size: 10 });
    const reading = consume(readable);
    const writer = writable.getWriter();
    await assert.rejects(writer.write(state.slice()), SnapshotCorruptError);
    await assert.rejects(writer.closed, SnapshotCorruptError);
    await reading;
  });
});

describe("a check stream that is cancelled or aborted", () => {
  const reason = new Error("given up");

  it("cancels its source when its reader cancels", async () => {
    const cancelled = new Promise<unknown>((resolve) => {
      const source = new ReadableStream<Chunk>({
        pull: (controller) => controller.enqueue(state.slice(0, 10)),
        cancel: resolve,
      });
      const stream = source.pipeThrough(new Crc64CheckStream(promised));
      stream.cancel(reason).catch(resolve);
    });
    assert.equal(await cancelled, reason);
  });

  it("errors its reader when its source fails", async () => {
    const source = new ReadableStream<Chunk>({
      pull: (controller) => controller.error(reason),
    });
    const { got, error } = await consume(
      source.pipeThrough(new Crc64CheckStream(promised)),
    );
    assert.equal(error, reason);
    assert.deepEqual(got, []);
  });

  it("errors its reader when its writer aborts", async () => {
    const { readable, writable } = new Crc64CheckStream(promised);
    const reading = consume(readable);
    await writable.abort(reason);
    assert.equal((await reading).error, reason);
  });
});

describe("new Crc64CheckStream()", () => {
  it("rejects invalid CRC-64s and invalid sizes", () => {
    for (const crc of [-1n, 2n ** 64n]) {
      assert.throws(() => new Crc64CheckStream({ crc, size: 1 }), RangeError);
    }
    for (const size of [-1, 0.5, NaN, 2 ** 53]) {
      assert.throws(() => new Crc64CheckStream({ crc: 0n, size }), RangeError);
    }
  });
});
