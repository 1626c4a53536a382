/**
 * Checks of a store's sinks.
 *
 * @module
 */

import { SnapshotPublishError } from "../errors.ts";
import type { SnapshotSink } from "../snapshot/types.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { assertEqual, assertRejects, rejection } from "./assertions.ts";
import {
  type Check,
  checkEveryStore,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import {
  encode,
  INIT,
  listIds,
  pattern,
  readAll,
  readText,
  streamOf,
} from "./snapshots.ts";

/** The checks. */
export const writingChecks: readonly Check[] = [
  checkEveryStore("a sink's metadata is final after close", async (store) => {
    const sink = await store.create(INIT);
    await streamOf(encode("123456789")).pipeTo(sink);
    assertEqual(sink.meta.id, sink.id, "ID");
    assertEqual(sink.meta.size, 9, "size");
    assertEqual(sink.meta.crc, 0x995dc9bbdf1939fan, "CRC");
  }),

  checkEveryStore("a sink may be closed more than once", async (store) => {
    const sink = await store.create(INIT);
    await Promise.all([sink.close(), sink.close()]);
    await sink.close();
    const piped = await store.create(INIT);
    await streamOf(encode("piped")).pipeTo(piped);
    await piped.close();
  }),

  checkStoresThatKeep(
    "cancelling a closed sink changes nothing",
    async (store) => {
      const sink = await store.create(INIT);
      await streamOf(encode("kept")).pipeTo(sink);
      await sink.cancel();
      await sink.close();
      assertEqual(await readText(store, sink.id), "kept", "state");
    },
  ),

  checkStoresThatKeep(
    "cancelling a sink while it is being closed does no harm",
    async (store) => {
      const sink = await store.create(INIT);
      const closed = sink.close();
      await sink.cancel();
      const isPublished = await closed.then(() => true, () => false);
      assertEqual((await store.list()).length, isPublished ? 1 : 0, "length");
    },
  ),

  checkEveryStore(
    "close() keeps rejecting after it has failed",
    async (store) => {
      const sink = await store.create(INIT);
      await sink.cancel();
      for (let i = 0; i < 3; i++) {
        await assertRejects(sink.close(), SnapshotPublishError, "close()");
      }
      await sink.cancel();
    },
  ),

  checkEveryStore(
    "a sink can be cancelled while a writer has it",
    async (store) => {
      const sink = await store.create(INIT);
      const writer = sink.getWriter();
      const reason = new Error("enough");
      await sink.cancel(reason);
      const error = await rejection(writer.write(encode("x")), "writing");
      assertEqual(error === reason, true, "reason");
      await assertListsNothing(store);
    },
  ),

  checkEveryStore("an error of the producer leaves nothing", async (store) => {
    const reason = new Error("the producer broke");
    let pulls = 0;
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ < 3) controller.enqueue(encode("half"));
        else controller.error(reason);
      },
    });
    const sink = await store.create(INIT);
    const error = await rejection(broken.pipeTo(sink), "the pipe");
    assertEqual(error === reason, true, "reason");
    await assertRejects(sink.close(), SnapshotPublishError, "closing it");
    await assertListsNothing(store);
  }),

  checkEveryStore("an aborted pipe leaves nothing", async (store) => {
    const controller = new AbortController();
    const sink = await store.create(INIT);
    const endless = new ReadableStream<Uint8Array>({
      pull(out) {
        out.enqueue(encode("more"));
        controller.abort(new Error("stop"));
      },
    });
    const { signal } = controller;
    await assertRejects(endless.pipeTo(sink, { signal }), Error, "the pipe");
    await assertRejects(sink.close(), SnapshotPublishError, "closing it");
    await assertListsNothing(store);
  }),

  checkEveryStore(
    "the signal given to create() cancels the sink",
    async (store) => {
      const controller = new AbortController();
      const sink = await store.create(INIT, { signal: controller.signal });
      const writer = sink.getWriter();
      await writer.write(encode("half"));
      controller.abort(new Error("stop"));
      await assertRejects(writer.close(), Error, "closing it");
      await sink.cancel();
      await assertListsNothing(store);
    },
  ),

  checkStoresThatKeep(
    "the signal given to create() changes nothing after close",
    async (store) => {
      const controller = new AbortController();
      const { signal } = controller;
      const sink = await store.create(INIT, { signal });
      await streamOf(encode("kept")).pipeTo(sink);
      const { id } = sink;
      controller.abort();
      assertEqual(await readText(store, id), "kept", "state");
    },
  ),

  checkEveryStore(
    "a chunk that is not bytes is a TypeError, and ends the sink",
    async (store) => {
      for (const chunk of ["text", 1, null, undefined, {}, [1, 2]]) {
        const sink = await store.create(INIT);
        const pipe = streamOf(encode("good"), chunk).pipeTo(sink);
        await assertRejects(pipe, TypeError, `writing ${String(chunk)}`);
        await assertRejects(sink.close(), SnapshotPublishError, "closing it");
      }
      await assertListsNothing(store);
    },
  ),

  checkEveryStore(
    "a chunk whose buffer was transferred is a TypeError, and ends the sink",
    async (store) => {
      for (const chunk of transferredViews()) {
        const sink = await store.create(INIT);
        const writer = sink.getWriter();
        await assertRejects(writer.write(chunk), TypeError, "writing it");
        writer.releaseLock();
        await assertRejects(sink.close(), SnapshotPublishError, "closing it");
      }
      await assertListsNothing(store);
    },
  ),

  checkEveryStore(
    "a chunk that loses bytes before it is written ends the sink",
    async (store) => {
      for (const lose of [transfer, shrink]) {
        const sink = await store.create(INIT);
        const writer = sink.getWriter();
        const chunk = resizable(1000);
        // All three chunks are in the queue before the first one leaves it.
        const written = [encode("a"), chunk, encode("b")].map((each) =>
          writer.write(each).catch(() => {})
        );
        lose(chunk.buffer);
        await Promise.all(written);
        writer.releaseLock();
        await assertRejects(sink.close(), SnapshotPublishError, "closing it");
        await assertListsNothing(store);
      }
    },
  ),

  checkEveryStore(
    "an array with a false length ends the sink",
    async (store) => {
      for (const lie of [NaN, -1, Infinity, 2]) {
        const sink = await store.create(INIT);
        const chunk = Object.defineProperties(pattern(3), {
          length: { value: lie },
          byteLength: { value: lie },
        });
        const pipe = streamOf(encode("good"), chunk).pipeTo(sink);
        await assertRejects(pipe, TypeError, `writing ${lie} bytes`);
        await assertRejects(sink.close(), SnapshotPublishError, "closing it");
      }
      await assertListsNothing(store);
    },
  ),

  checkEveryStore(
    "published settles with the outcome of a sink",
    async (store) => {
      const sink = await store.create(INIT);
      await streamOf(encode("123456789")).pipeTo(sink);
      const { id, crc } = await sink.published;
      assertEqual([id, crc], [sink.id, 0x995dc9bbdf1939fan], "metadata");
      const cancelled = await store.create({ ...INIT, index: 11n });
      await cancelled.cancel();
      const { published } = cancelled;
      await assertRejects(published, SnapshotPublishError, "published");
    },
  ),

  checkStoresThatKeep(
    "every view and buffer is written as its bytes",
    async (store) => {
      const bytes = pattern(64);
      const { buffer } = bytes;
      const chunks = [
        buffer,
        new DataView(buffer, 3, 5),
        new Uint8ClampedArray(buffer, 1, 2),
        new Uint16Array(buffer, 2, 3),
        new Float64Array(buffer, 8, 2),
        new BigUint64Array(buffer, 16, 1),
        new Uint8Array(0),
      ];
      const sink = await store.create(INIT);
      await streamOf(...chunks).pipeTo(sink);
      const state = await readAll(await store.open(sink.id));
      const ranges = [[0, 64], [3, 8], [1, 3], [2, 8], [8, 24], [16, 24]];
      const expected = ranges.flatMap((range) => [...bytes.slice(...range)]);
      assertEqual([...state], expected, "state");
    },
  ),

  checkStoresThatKeep(
    "a buffer may be reused once it is written",
    async (store) => {
      const sink = await store.create(INIT);
      const writer = sink.getWriter();
      const buffer = new Uint8Array(1000);
      for (let i = 0; i < 5; i++) {
        buffer.fill(i);
        await writer.write(buffer);
      }
      buffer.fill(255);
      await writer.close();
      const state = await readAll(await store.open(sink.id));
      assertEqual(state.length, 5000, "length");
      const isRight = state.every((byte, i) => byte === Math.floor(i / 1000));
      assertEqual(isRight, true, "whether the state has the written bytes");
    },
  ),

  checkStoresThatKeep("an empty state can be published", async (store) => {
    const sink = await store.create(INIT);
    await sink.close();
    const source = await store.open(sink.id);
    assertEqual(source.meta.size, 0, "size");
    assertEqual(source.meta.crc, 0n, "CRC");
    assertEqual((await readAll(source)).length, 0, "length");
  }),

  checkStoresThatKeep(
    "many small chunks make the same state as one large one",
    async (store) => {
      const bytes = pattern(3 * 1024 * 1024 + 17);
      const small: Uint8Array[] = [];
      for (let at = 0; at < 20_000; at += 7) {
        small.push(bytes.subarray(at, Math.min(at + 7, 20_000)));
      }
      const sink = await store.create(INIT);
      await streamOf(...small, bytes.subarray(20_000)).pipeTo(sink);
      assertSame(await readAll(await store.open(sink.id)), bytes);
    },
  ),

  checkStoresOfMany("two sinks may be open at the same time", async (store) => {
    const sinks: SnapshotSink[] = [];
    for (const index of [1n, 2n]) {
      sinks.push(await store.create({ ...INIT, index }));
    }
    const states = sinks.map(({ id }) => `state of ${id}`);
    await Promise.all(
      sinks.map((sink, i) => streamOf(encode(states[i] ?? "")).pipeTo(sink)),
    );
    const [second, first] = await listIds(store);
    assertEqual([first, second], sinks.map(({ id }) => id), "list");
    for (const [i, { id }] of sinks.entries()) {
      assertEqual(await readText(store, id), states[i], "state");
    }
  }),
];

/** Bytes in a buffer that can be made smaller while it is in use. */
function resizable(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length, { maxByteLength: length }));
}

function shrink(buffer: ArrayBuffer): void {
  buffer.resize(buffer.byteLength / 2);
}

function transfer(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] });
}

/** Views of several kinds whose buffers have been transferred. */
function transferredViews(): Uint8Array[] {
  const makers = [
    (buffer: ArrayBuffer) => new Uint8Array(buffer),
    (buffer: ArrayBuffer) => new Uint16Array(buffer),
    (buffer: ArrayBuffer) => new DataView(buffer),
  ];
  return makers.map((make) => {
    const buffer = new ArrayBuffer(8);
    const view = make(buffer);
    transfer(buffer);
    // A sink takes every kind of view, though its type names only one.
    return view as Uint8Array;
  });
}

async function assertListsNothing(store: SnapshotStore): Promise<void> {
  assertEqual(await store.list(), [], "list");
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEqual(actual.length, expected.length, "length");
  const at = expected.findIndex((byte, i) => actual[i] !== byte);
  assertEqual(at, -1, "place of the first wrong byte");
}
