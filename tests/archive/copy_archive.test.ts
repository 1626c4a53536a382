import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { deflateRawSync, gunzipSync } from "node:zlib";
import {
  type ArchiveMeta,
  copyArchive,
  exportArchive,
} from "@raft/snapshots/archive";
import { bytes } from "../support/random.ts";
import { archive, archiveOf, members, pack, tar } from "./hand_made.ts";
import { byteStream, readOut, storeOf, VastStore } from "./stores.ts";

/** A sink that records its chunks and its end. */
function watchedSink() {
  const seen = {
    chunks: [] as Uint8Array[],
    closed: false,
    aborted: undefined as unknown,
    get bytes() {
      return new Uint8Array(Buffer.concat(seen.chunks));
    },
  };
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void seen.chunks.push(new Uint8Array(chunk)),
    close: () => void (seen.closed = true),
    abort: (reason) => void (seen.aborted = reason),
  });
  return { sink, seen };
}

/** Copies bytes that are not a good archive; gives the error. */
async function refusalOf(
  file: Uint8Array,
  options: Parameters<typeof copyArchive>[2] = {},
): Promise<Error> {
  const { sink, seen } = watchedSink();
  let refusal: unknown;
  try {
    await copyArchive(byteStream(file, 61), sink, options);
  } catch (error) {
    refusal = error;
  }
  assert.equal(seen.closed, false, "the sink was closed");
  assert.ok(refusal instanceof Error, "the archive was taken");
  assert.equal(seen.aborted, refusal);
  return refusal;
}

/** A good archive of few bytes. */
function small(): Uint8Array {
  const { meta, state, sums } = members();
  return pack(tar(meta, state, sums), 9);
}

/**
 * The time in the header of gzip, for one, and the bits after the end of the
 * compressed data are covered by nothing.
 */
function meansTheSame(one: Uint8Array, other: Uint8Array): boolean {
  try {
    return gunzipSync(one).equals(gunzipSync(other));
  } catch {
    return false;
  }
}

describe("copyArchive()", () => {
  it("passes the bytes unchanged, and gives the metadata and the size", async () => {
    for (const name of ["consul", "vault", "empty_state"]) {
      const file = new Uint8Array(
        await readFile(
          new URL(`../fixtures/archives/${name}.snap`, import.meta.url),
        ),
      );
      for (const chunkSize of [1, 61, 1_000_000]) {
        const { sink, seen } = watchedSink();
        const copied = await copyArchive(byteStream(file, chunkSize), sink);
        assert.deepEqual(seen.bytes, file);
        assert.equal(copied.size, file.length);
        assert.equal(seen.closed, true);
      }
    }
  });

  it("asks for the sink once the metadata is known, and loses no byte", async () => {
    const { store, meta } = await storeOf(bytes(3_000_000, 5));
    const file = await readOut(exportArchive(store, meta.id));
    for (const chunkSize of [777, 65_536, 10_000_000]) {
      const { sink, seen } = watchedSink();
      const asked: bigint[] = [];
      const choose = async ({ index }: ArchiveMeta) => {
        asked.push(index);
        // The decompressor reads ahead meanwhile.
        for (let i = 0; i < 50; i++) await Promise.resolve();
        return sink;
      };
      await copyArchive(byteStream(file, chunkSize), choose);
      assert.deepEqual(asked, [10n]);
      assert.deepEqual(seen.bytes, file);
    }
  });

  it("never closes the sink of an archive with a flipped bit", async () => {
    const file = small();
    for (let at = 0; at < file.length; at++) {
      const damaged = new Uint8Array(file);
      damaged[at] = (damaged[at] ?? 0) ^ 1 << at % 8;
      if (meansTheSame(damaged, file)) continue;
      const { name } = await refusalOf(damaged);
      // A flipped digit makes the metadata one of another version.
      assert.match(
        name,
        /^(SnapshotArchive|UnsupportedSnapshotVersion)Error$/,
        `byte ${at}`,
      );
    }
  });

  it("never closes the sink of an archive that is cut or continues", async () => {
    const file = new Uint8Array(small());
    for (let end = 0; end < file.length; end++) {
      const { name } = await refusalOf(file.subarray(0, end));
      assert.equal(name, "SnapshotArchiveError", `${end} bytes`);
    }
    const { message } = await refusalOf(
      new Uint8Array(Buffer.concat([file, Buffer.from("x")])),
    );
    assert.match(message, /the file continues/);
  });

  it("refuses an archive without sealed sums where they are required", async () => {
    const requireSealedSums = true;
    const { message } = await refusalOf(archive(), { requireSealedSums });
    assert.match(message, /incomplete: SHA256SUMS\.sealed is missing/);
    const { meta, state, sums } = members();
    const sealed = { name: "SHA256SUMS.sealed", content: "a secret" };
    const { sink, seen } = watchedSink();
    const file = archiveOf(meta, state, sums, sealed);
    await copyArchive(byteStream(file), sink, { requireSealedSums });
    assert.equal(seen.closed, true);
  });

  it("names the format of a file that is not an archive", async () => {
    const cases = { json: '{"errors":["denied"]}', html: "<html>", empty: "" };
    for (const [looksLike, text] of Object.entries(cases)) {
      const refusal = await refusalOf(new TextEncoder().encode(text));
      assert.equal((refusal as { looksLike?: string }).looksLike, looksLike);
    }
  });

  it("calls no function for a sink when the metadata is bad", async () => {
    const copying = copyArchive(
      byteStream(archive({ meta: "no JSON" })),
      () => assert.fail("it was called"),
    );
    await assert.rejects(copying, { reason: "meta" });
  });

  it("fails with the sink's error, and cancels the archive", async () => {
    const full = new Error("the disk is full");
    const file = bytes(4_000_000, 3);
    const { store, meta } = await storeOf(file);
    const whole = await readOut(exportArchive(store, meta.id, { level: 0 }));
    let given = 0;
    let cancelled: unknown;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(whole.slice(given, given + 65_536));
        given += 65_536;
      },
      cancel: (reason) => void (cancelled = reason),
    }, { highWaterMark: 0 });
    const sink = new WritableStream({
      write() {
        if (given > 1_000_000) throw full;
      },
    });
    await assert.rejects(copyArchive(stream, sink), full);
    assert.equal(cancelled, full);
    assert.ok(given < 3_000_000, `it read ${given} bytes`);
    const refusing = () => Promise.reject(full);
    await assert.rejects(copyArchive(byteStream(archive()), refusing), full);
  });

  it("ends a write that hangs when its signal aborts", async () => {
    const aborting = new AbortController();
    const reason = new Error("no time left");
    let aborted: unknown;
    const sink = new WritableStream<Uint8Array>({
      start: (controller) => {
        controller.signal.addEventListener("abort", () => {
          aborted = controller.signal.reason;
        });
      },
      write: (_chunk, { signal }) => {
        setTimeout(() => aborting.abort(reason), 1);
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    });
    const { signal } = aborting;
    const copying = copyArchive(byteStream(archive(), 100), sink, { signal });
    await assert.rejects(copying, reason);
    assert.equal(aborted, reason);
  });

  it("waits for the sink, and holds little, of an archive of any length", async () => {
    const size = 64 * 1024 * 1024;
    const store = new VastStore({ size });
    let read = 0;
    let written = 0;
    let mostAhead = 0;
    const counted = exportArchive(store, store.meta.id, { level: 0 })
      .pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            read += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      );
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        await Promise.resolve();
        written += chunk.length;
        mostAhead = Math.max(mostAhead, read - written);
      },
    });
    const copied = await copyArchive(counted, sink);
    assert.equal(copied.size, written);
    assert.ok(mostAhead < 8 * 1024 * 1024, `${mostAhead} bytes ahead`);
  });

  it("holds no more than the metadata can need before it has a sink", async () => {
    // Blocks of deflate that hold nothing.
    const header = archive().subarray(0, 10);
    const empty = deflateRawSync("", { finishFlush: 2 });
    const block = new Uint8Array(Buffer.concat(Array(10_000).fill(empty)));
    async function* endless() {
      yield new Uint8Array(header);
      for (;;) yield block;
    }
    const copying = copyArchive(endless(), () => assert.fail("it was called"));
    await assert.rejects(copying, /bytes before the state/);
  });

  it("refuses an option that does not exist", async () => {
    const { sink } = watchedSink();
    const options = { requireSealed: true } as never;
    await assert.rejects(
      copyArchive(byteStream(archive()), sink, options),
      TypeError,
    );
  });
});
