/**
 * Checks of a store's sources.
 *
 * @module
 */

import { assertEqual, assertRejects, rejection } from "./assertions.ts";
import { type Check, checkStoresThatKeep } from "./check.ts";
import {
  encode,
  INIT,
  pattern,
  publish,
  readAll,
  readText,
  streamOf,
} from "./snapshots.ts";

/** The checks. */
export const readingChecks: readonly Check[] = [
  checkStoresThatKeep(
    "a source carries the metadata that is listed",
    async (store) => {
      const id = await publish(store, "state");
      const source = await store.open(id);
      assertEqual(source.meta, (await store.list())[0], "metadata");
      await source.cancel();
    },
  ),

  checkStoresThatKeep(
    "a snapshot that is opened twice reads the same",
    async (store) => {
      const id = await publish(store, "the same");
      assertEqual(await readText(store, id), "the same", "first reading");
      assertEqual(await readText(store, id), "the same", "second reading");
    },
  ),

  checkStoresThatKeep(
    "a part of a state can be read by itself",
    async (store) => {
      const bytes = pattern(100_000);
      const id = await publish(store, bytes);
      for (
        const [start, end] of [
          [0, 1],
          [2, 5],
          [70_000, 100_000],
          [5, 5],
          [100_000, 100_000],
        ] as const
      ) {
        const part = await readAll(await store.open(id, { start, end }));
        const what = `bytes ${start} to ${end}`;
        assertEqual(part.length, end - start, `length of ${what}`);
        const isSame = part.every((byte, i) => byte === bytes[start + i]);
        assertEqual(isSame, true, `whether ${what} are the written bytes`);
      }
    },
  ),

  checkStoresThatKeep(
    "a range that is not in the state is rejected",
    async (store) => {
      const id = await publish(store, "state");
      const bounds = [[-1, 2], [3, 2], [0, 6], [6, 6], [0.5, 2], [NaN, 2]];
      for (const [start = 0, end = 0] of bounds) {
        const what = `bytes ${start} to ${end}`;
        const opening = store.open(id, { start, end });
        await assertRejects(opening, RangeError, what);
      }
    },
  ),

  checkStoresThatKeep(
    "several sources can be read at the same time",
    async (store) => {
      const bytes = pattern(200_000);
      const id = await publish(store, bytes);
      const sources = await Promise.all(
        Array.from({ length: 5 }, () => store.open(id)),
      );
      const states = await Promise.all(sources.map(readAll));
      for (const state of states) {
        assertEqual(state.length, bytes.length, "length");
        const isSame = state.every((byte, i) => byte === bytes[i]);
        assertEqual(isSame, true, "whether the state has the written bytes");
      }
    },
  ),

  checkStoresThatKeep(
    "a reader may change its chunks",
    async (store) => {
      const id = await publish(store, "pristine");
      const source = await store.open(id);
      for await (const chunk of source) chunk.fill(0);
      assertEqual(await readText(store, id), "pristine", "state");
    },
  ),

  checkStoresThatKeep(
    "a later snapshot does not disturb a reader",
    async (store) => {
      const bytes = pattern(100_000);
      const id = await publish(store, bytes);
      const source = await store.open(id);
      for (const index of [11n, 12n, 13n]) await publish(store, "", { index });
      assertEqual((await readAll(source)).length, bytes.length, "length");
    },
  ),

  checkStoresThatKeep(
    "a source can be cancelled before and in the middle",
    async (store) => {
      const id = await publish(store, pattern(100_000));
      const unread = await store.open(id);
      await unread.cancel(new Error("not needed"));
      const reader = (await store.open(id)).getReader();
      await reader.read();
      await reader.cancel();
      assertEqual((await reader.read()).done, true, "end");
    },
  ),

  checkStoresThatKeep(
    "a signal that has aborted makes open() reject",
    async (store) => {
      const id = await publish(store, "state");
      const reason = new Error("too late");
      const signal = AbortSignal.abort(reason);
      const error = await rejection(store.open(id, { signal }), "open()");
      assertEqual(error === reason, true, "reason");
    },
  ),

  checkStoresThatKeep(
    "a signal that aborts errors the source",
    async (store) => {
      for (const size of [1, 100_000]) {
        const id = await publish(store, pattern(size));
        const controller = new AbortController();
        const source = await store.open(id, { signal: controller.signal });
        // The source may have been read ahead by now, a small state to its end.
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        const reason = new Error("stop");
        controller.abort(reason);
        const error = await rejection(readAll(source), "reading on");
        assertEqual(error === reason, true, "reason");
      }
    },
  ),

  checkStoresThatKeep(
    "a signal that aborts after the end changes nothing",
    async (store) => {
      const id = await publish(store, "state");
      const controller = new AbortController();
      const source = await store.open(id, { signal: controller.signal });
      assertEqual((await readAll(source)).length, 5, "length");
      controller.abort();
    },
  ),

  checkStoresThatKeep(
    "progress only grows, and ends at the size of the state",
    async (store) => {
      const id = await publish(store, pattern(100_000));
      const reports: number[] = [];
      const source = await store.open(id, {
        onProgress({ done, total }) {
          assertEqual(total, 100_000, "total");
          reports.push(done);
        },
      });
      await readAll(source);
      const sorted = reports.toSorted((a, b) => a - b);
      assertEqual(reports, sorted, "order of the reports");
      assertEqual(reports.at(-1), 100_000, "last report");
    },
  ),

  checkStoresThatKeep("a source can be piped into a sink", async (store) => {
    const id = await publish(store, "copied");
    const copy = await store.create(INIT);
    await (await store.open(id)).pipeTo(copy);
    assertEqual(await readText(store, copy.id), "copied", "state");
  }),

  checkStoresThatKeep("a source can be split in two", async (store) => {
    const id = await publish(store, "twins");
    const [left, right] = (await store.open(id)).tee();
    const texts = [left, right].map((half) => new Response(half).text());
    assertEqual(await Promise.all(texts), ["twins", "twins"], "states");
  }),

  checkStoresThatKeep(
    "a state is read in the order in which it was written",
    async (store) => {
      const sink = await store.create(INIT);
      const parts = Array.from({ length: 200 }, (_, i) => `${i};`);
      await streamOf(...parts.map(encode)).pipeTo(sink);
      assertEqual(await readText(store, sink.id), parts.join(""), "state");
    },
  ),
];
