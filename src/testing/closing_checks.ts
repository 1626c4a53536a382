/**
 * Checks that a store's `close()` ends its streams, and that later calls
 * reject.
 *
 * @module
 */

import { SnapshotPublishError, StoreClosedError } from "../errors.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { assert, assertRejects, rejection } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { encode, INIT, pattern, publish, readAll } from "./snapshots.ts";

const ID = "3-10-1";

/** Every call that a store takes. */
const CALLS: Readonly<
  Record<string, (store: SnapshotStore) => Promise<unknown>>
> = {
  create: (store) => store.create(INIT),
  list: (store) => store.list(),
  open: (store) => store.open(ID),
  verify: (store) => store.verify(ID),
  seal: (store) => store.seal(ID),
  restore: (store) => store.restore(() => Promise.resolve()),
  reap: (store) => store.reap(),
  delete: (store) => store.delete(ID),
};

/** The checks. */
export const closingChecks: readonly Check[] = [
  checkEveryStore(
    "every call of a closed store rejects with StoreClosedError",
    async (store) => {
      await store.close();
      for (const [name, call] of Object.entries(CALLS)) {
        await assertRejects(call(store), StoreClosedError, `${name}()`);
      }
    },
  ),

  checkEveryStore("a store may be closed more than once", async (store) => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
  }),

  checkEveryStore(
    "close() of a store cancels its open sinks",
    async (store) => {
      const idle = await store.create(INIT);
      const busy = await store.create(INIT);
      const writer = busy.getWriter();
      await writer.write(encode("half"));
      await store.close();
      const writing = writer.write(encode("more"));
      await assertRejects(writing, StoreClosedError, "writing");
      for (const sink of [idle, busy]) {
        const error = await rejection(sink.close(), "close() of the sink");
        assert(error instanceof SnapshotPublishError, String(error));
        assert(!error.published, "the snapshot was not published");
        assert(error.cause instanceof StoreClosedError, "the cause");
        await assertRejects(sink.published, SnapshotPublishError, "published");
      }
    },
  ),

  checkStoresThatKeep(
    "close() of a store errors its open sources",
    async (store) => {
      const id = await publish(store, pattern(5_000_000));
      const unread = await store.open(id);
      const begun = (await store.open(id)).getReader();
      await begun.read();
      await store.close();
      await assertRejects(readAll(unread), StoreClosedError, "reading");
      const reading = (async () => {
        while (!(await begun.read()).done);
      })();
      await assertRejects(reading, StoreClosedError, "reading on");
    },
  ),

  checkStoresThatKeep(
    "close() of a store does not change a source that has ended",
    async (store) => {
      const source = await store.open(await publish(store, "state"));
      assert((await readAll(source)).length === 5, "it is read");
      await store.close();
    },
  ),

  checkEveryStore(
    "calls that are under way end when the store is closed",
    async (store) => {
      const calls = Object.values(CALLS).map((call) => call(store));
      const outcomes = Promise.allSettled(calls);
      await store.close();
      await outcomes;
    },
  ),
];
