import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { crc32 } from "node:zlib";
import { UnsupportedSnapshotVersionError } from "@raft/snapshots";
import { exportArchive, readArchive } from "@raft/snapshots/archive";
import { bytes } from "../support/random.ts";
import {
  archive,
  archiveOf,
  members,
  metaText,
  octal,
  sha256,
  STATE,
} from "./hand_made.ts";
import { byteStream, check, readOut, storeOf } from "./stores.ts";

const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** Lets everything else in this process run. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Chunks of these bytes, and the number of times that they were ended. */
function chunksOf(bytes: Uint8Array) {
  const use = { returned: 0 };
  async function* chunks() {
    try {
      for (let at = 0; at < bytes.length; at += 100) {
        await letOthersRun();
        yield bytes.subarray(at, at + 100);
      }
    } finally {
      use.returned++;
    }
  }
  return { chunks: chunks(), use };
}

/** A stream that gives these bytes, and then keeps its reader waiting. */
function endless(bytes: Uint8Array) {
  const cancelled: unknown[] = [];
  let left = bytes;
  let waiting = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left.length > 0) controller.enqueue(new Uint8Array(left));
      else waiting = true;
      left = left.subarray(left.length);
      return waiting ? new Promise<void>(() => {}) : undefined;
    },
    cancel: (reason) => void cancelled.push(reason),
  }, { highWaterMark: 0 });
  return { stream, cancelled, isDry: () => waiting };
}

describe("readArchive()", () => {
  it("gives the metadata, and the state", async () => {
    const source = await readArchive(byteStream(archive()));
    assert.deepEqual({ ...source.meta }, {
      version: 1,
      id: "3-10-1700000000123",
      createdAt: new Date(1700000000123),
      // The time of meta.json in the tar, in seconds.
      takenAt: new Date(1700000000000),
      index: 10n,
      term: 3n,
      peers: Uint8Array.from(atob("kalvdmVyIGhlcmU="), (c) => c.charCodeAt(0)),
      configuration: {
        servers: [{ suffrage: "voter", id: "my id", address: "over here" }],
      },
      configurationIndex: 2n,
      size: STATE.length,
    });
    assert.equal(text(await readOut(source)), STATE);
  });

  it("reads the archive in pieces of any size", async () => {
    const state = bytes(10_000, 7);
    const { store, meta } = await storeOf(state);
    for (const level of [0, 6]) {
      const file = await readOut(exportArchive(store, meta.id, { level }));
      for (const size of [1, 7, 512, 4096]) {
        const source = await readArchive(byteStream(file, size));
        assert.deepEqual(await readOut(source), state);
      }
    }
  });

  it("reads an async iterable of bytes", async () => {
    const { chunks, use } = chunksOf(archive());
    const source = await readArchive(chunks);
    assert.equal(text(await readOut(source)), STATE);
    assert.equal(use.returned, 1);
  });

  it("ends an async iterable whose archive is bad", async () => {
    const { chunks, use } = chunksOf(new Uint8Array(1000).fill(1));
    await assert.rejects(readArchive(chunks), { name: "SnapshotArchiveError" });
    await letOthersRun();
    assert.equal(use.returned, 1);
  });

  it("does not wait for a chunk of an async iterable when its signal aborts", async () => {
    const whole = archive();
    // While it waits for the metadata, and for the state.
    for (const first of [whole.subarray(0, 5), whole.subarray(0, 1600)]) {
      const aborting = new AbortController();
      const reason = new Error("no time left");
      const chunks = async function* () {
        yield first;
        aborting.abort(reason);
        await new Promise(() => {});
      };
      const { signal } = aborting;
      const reading = async () =>
        await readOut(await readArchive(chunks(), { signal }));
      await assert.rejects(reading(), reason);
    }
  });

  it("rejects an archive that is neither a stream nor an async iterable", async () => {
    for (const wrong of [undefined, null, "path", archive()]) {
      await assert.rejects(readArchive(wrong as never), {
        name: "TypeError",
        message:
          /^Cannot read an archive: found \w+, expected a ReadableStream/,
      });
    }
  });

  it("gives chunks that it never uses again", async () => {
    const state = bytes(1_000_000, 7);
    const { store, meta } = await storeOf(state);
    const stream = exportArchive(store, meta.id, { level: 1 });
    const source = await readArchive(stream);
    const copies: Uint8Array[] = [];
    for await (const chunk of source) {
      copies.push(new Uint8Array(chunk));
      assert.equal(chunk.byteLength, chunk.buffer.byteLength);
      structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
    }
    assert.deepEqual(
      new Uint8Array(await new Blob(copies as BlobPart[]).arrayBuffer()),
      state,
    );
  });

  it("reads members in any order that has meta.json before state.bin", async () => {
    const { meta, state, sums } = members();
    for (const order of [[sums, meta, state], [meta, sums, state]]) {
      assert.equal(text(await check(archiveOf(...order))), STATE);
    }
  });

  it("reads digests in any order", async () => {
    const sums = `${sha256(STATE)}  state.bin\n` +
      `${sha256(metaText()).toUpperCase()}  meta.json\n`;
    assert.equal(text(await check(archive({ sums }))), STATE);
  });

  it("reads a meta.json that a store has written, with a CRC", async () => {
    const meta = metaText({ CRC: "Fin9h3zOPWw=" });
    assert.equal(text(await check(archive({ meta }))), STATE);
  });

  it("reads a size from an extended header", async () => {
    const { meta, state, sums } = members();
    const records = `11 size=${STATE.length}\n20 mtime=1700000000\n`;
    const file = archiveOf(
      meta,
      { name: "PaxHeaders.0/state.bin", content: records, type: "x" },
      { ...state, size: octal(0) },
      sums,
    );
    assert.equal(text(await check(file)), STATE);
  });

  it("reads a gzip header with all its optional fields", async () => {
    const plain = archive();
    const body = plain.subarray(10);
    const header = Uint8Array.from([
      ...[0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 1, 2, 3, 4, 2, 3],
      ...[3, 0, 97, 98, 99],
      ...new TextEncoder().encode("name\0comment\0"),
    ]);
    const crc = crc32(header);
    const file = [...header, crc & 0xff, crc >>> 8 & 0xff, ...body];
    assert.equal(text(await check(Uint8Array.from(file))), STATE);
    file[4] = 2; // the time: it has a checksum now
    await assert.rejects(check(Uint8Array.from(file)), { reason: "gzip" });
  });

  it("reports a member that it can't check", async () => {
    const { meta, state, sums } = members();
    const sealed = { name: "SHA256SUMS.sealed", content: "a secret" };
    const unchecked: string[] = [];
    const file = archiveOf(meta, state, sums, sealed);
    await check(file, { onUnchecked: (name) => unchecked.push(name) });
    assert.deepEqual(unchecked, ["SHA256SUMS.sealed"]);
    await check(file);
  });

  it("reports its progress", async () => {
    const seen: unknown[] = [];
    await check(archive(), { onProgress: (progress) => seen.push(progress) });
    assert.deepEqual(seen, [{ done: STATE.length, total: STATE.length }]);
  });

  it("accepts a state up to the size that the caller allows", async () => {
    const stateSizeMax = STATE.length;
    await check(archive(), { stateSizeMax });
    await assert.rejects(check(archive(), { stateSizeMax: stateSizeMax - 1 }), {
      name: "SnapshotArchiveError",
      reason: "size",
      member: "state.bin",
    });
  });

  it("rejects a snapshot of an unknown version", async () => {
    await assert.rejects(
      check(archive({ meta: metaText({ Version: 2 }) })),
      UnsupportedSnapshotVersionError,
    );
  });

  it("holds the last chunk back until everything is checked", async () => {
    const state = bytes(3_000_000, 5);
    const { store, meta } = await storeOf(state);
    const file = await readOut(exportArchive(store, meta.id, { level: 0 }));
    const bad = Buffer.concat([file, new Uint8Array(1)]);
    const source = await readArchive(byteStream(bad));
    let received = 0;
    await assert.rejects(async () => {
      for await (const chunk of source) received += chunk.length;
    }, { name: "SnapshotArchiveError", reason: "gzip", offset: file.length });
    assert.ok(received > 0 && received < state.length, `${received}`);
  });

  it("cancels the archive when the source goes out of scope unread", async () => {
    const file = endless(archive());
    {
      await using source = await readArchive(file.stream);
      assert.equal(source.meta.size, STATE.length);
    }
    assert.equal(file.cancelled.length, 1);
    assert.equal((file.cancelled[0] as Error).name, "AbortError");
  });

  it("cancels the archive when the source is cancelled", async () => {
    const file = endless(archive({ state: bytes(100, 1) }).subarray(0, 1600));
    const source = await readArchive(file.stream);
    await source.cancel("enough");
    assert.deepEqual(file.cancelled, ["enough"]);
  });

  it("cancels the archive when onProgress throws", async () => {
    const { store, meta } = await storeOf(bytes(3_000_000, 5));
    const file = await readOut(exportArchive(store, meta.id, { level: 0 }));
    const { stream, cancelled } = endless(file.subarray(0, -1));
    const error = new Error("the callback failed");
    const source = await readArchive(stream, {
      onProgress: () => {
        throw error;
      },
    });
    await assert.rejects(readOut(source), (thrown) => thrown === error);
    assert.deepEqual(cancelled, [error]);
  });

  it("cancels the archive when it is bad", async () => {
    const file = endless(new TextEncoder().encode("no archive at all"));
    await assert.rejects(readArchive(file.stream), { reason: "gzip" });
    assert.equal(file.cancelled.length, 1);
    assert.equal((file.cancelled[0] as Error).name, "SnapshotArchiveError");
  });

  it("stops when its signal aborts, at any point", async () => {
    const whole = archive();
    for (const length of [0, 5, 600, 1600]) {
      const file = endless(whole.subarray(0, length));
      const controller = new AbortController();
      const { signal } = controller;
      const reading = readArchive(file.stream, { signal })
        .then((source) => readOut(source));
      while (!file.isDry()) await letOthersRun();
      controller.abort(new Error("enough"));
      await assert.rejects(reading, { message: "enough" });
      assert.equal(file.cancelled.length, 1, `at ${length}`);
    }
  });

  it("stops with the reason when the archive's own next() aborts its signal", async () => {
    const whole = archive();
    for (let length = 0; length < whole.length; length += 4) {
      const controller = new AbortController();
      const { signal } = controller;
      const halves = async function* () {
        yield whole.subarray(0, length);
        controller.abort(new Error("enough"));
        yield whole.subarray(length);
      };
      const reading = readArchive(halves(), { signal })
        .then((source) => readOut(source));
      await assert.rejects(reading, { message: "enough" }, `at ${length}`);
    }
  });

  it("rejects with the error of the stream", async () => {
    for (const length of [0, 5, 600, 1600]) {
      let left = archive().subarray(0, length);
      const reason = { any: "thing" };
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left.length === 0) return controller.error(reason);
          controller.enqueue(new Uint8Array(left));
          left = left.subarray(left.length);
        },
      });
      await assert.rejects(
        async () => await readOut(await readArchive(stream)),
        (error) => error === reason,
      );
    }
  });

  it("rejects chunks that are not bytes, and a stream that is locked", async () => {
    const words = new ReadableStream({
      start: (controller) => controller.enqueue("text"),
    });
    await assert.rejects(readArchive(words), TypeError);
    await assert.rejects(readArchive(words), TypeError);
  });
});
