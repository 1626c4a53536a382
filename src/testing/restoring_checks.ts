/**
 * Checks of `restore()` without a damaged snapshot.
 *
 * @module
 */

import {
  NoUsableSnapshotError,
  SnapshotError,
  StoreClosedError,
} from "../errors.ts";
import type { SnapshotSource } from "../snapshot/types.ts";
import { assert, assertEqual, assertRejects, rejection } from "./assertions.ts";
import {
  type Check,
  checkEveryStore,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import {
  listIds,
  pattern,
  publish,
  readAll,
  restoreText,
} from "./snapshots.ts";

/** The checks. */
export const restoringChecks: readonly Check[] = [
  checkEveryStore(
    "restore() resolves to undefined for an empty store",
    async (store) => {
      let calls = 0;
      const { meta } = await store.restore(() => Promise.resolve(calls++)) ??
        {};
      assertEqual([meta, calls], [undefined, 0], "result and number of calls");
    },
  ),

  checkEveryStore(
    "restore() rejects anything but a function with a TypeError",
    async (store) => {
      const restoring = store.restore(undefined as never);
      await assertRejects(restoring, TypeError, "restore(undefined)");
    },
  ),

  checkStoresThatKeep(
    "restore() hands out the newest snapshot",
    async (store) => {
      await publish(store, "older", { index: 10n });
      const id = await publish(store, "newest", { index: 11n });
      const { meta, text, tried } = await restoreText(store);
      assertEqual(
        [meta?.id, meta?.index, text],
        [id, 11n, "newest"],
        "snapshot",
      );
      assertEqual(tried, [id], "snapshots that were tried");
      assertEqual(meta, (await store.list())[0], "metadata");
    },
  ),

  checkStoresOfMany(
    "restore() tries older snapshots after a failure, and removes none",
    async (store) => {
      const ids = [
        await publish(store, "1", { index: 1n }),
        await publish(store, "2", { index: 2n }),
        await publish(store, "3", { index: 3n }),
      ].reverse();
      const tried: string[] = [];
      const { meta } = await store.restore((source) => {
        tried.push(source.meta.id);
        if (tried.length === 1) throw new Error("thrown");
        if (tried.length === 2) return Promise.reject(new Error("rejected"));
        return readAll(source);
      }) ?? {};
      assertEqual(meta?.id, ids[2], "snapshot");
      assertEqual(tried, ids, "snapshots that were tried");
      assertEqual(await listIds(store), ids, "list");
    },
  ),

  checkStoresThatKeep(
    "restore() rejects with the caller's own failures when all have failed",
    async (store) => {
      const id = await publish(store, "state");
      const reason = new Error("out of memory");
      const error = await rejection(
        store.restore(() => Promise.reject(reason)),
        "restore()",
      );
      assert(error instanceof NoUsableSnapshotError, "the error's class");
      assert(error.errors[0] === reason, "the error has the reason");
      assertEqual(await listIds(store), [id], "list");
      assertEqual((await restoreText(store)).text, "state", "next attempt");
    },
  ),

  checkStoresOfMany(
    "restore() reports which snapshots it has passed over, and why",
    async (store) => {
      const old = await publish(store, "old", { index: 1n });
      const id = await publish(store, "new", { index: 2n });
      const reason = new Error("out of memory");
      const restored = await store.restore((source) => {
        if (source.meta.id === id) throw reason;
        return readAll(source);
      });
      assertEqual(restored?.meta.id, old, "snapshot");
      assertEqual(restored?.skipped.length, 1, "number of those passed over");
      assertEqual(restored?.skipped[0]?.id, id, "the one passed over");
      assert(restored?.skipped[0]?.error === reason, "it has the reason");
    },
  ),

  checkStoresOfMany(
    "restore() rejects, and tries no older snapshot, when its function has not read the source",
    async (store) => {
      const ids = [
        await publish(store, pattern(100_000), { index: 1n }),
        await publish(store, pattern(100_000), { index: 2n }),
      ].reverse();
      const tried: SnapshotSource[] = [];
      const error = await rejection(
        store.restore((source) => {
          tried.push(source);
        }),
        "restore()",
      );
      assert(error instanceof TypeError, `a TypeError, not ${error}`);
      assertEqual(tried.length, 1, "snapshots that were tried");
      assertEqual(await listIds(store), ids, "list");
      const later = await rejection(
        readAll(tried[0] as SnapshotSource),
        "reading the source later",
      );
      assert(later === error, "the source has the same error");
    },
  ),

  checkStoresThatKeep(
    "restore() resolves when its function has cancelled the source with a reason",
    async (store) => {
      const id = await publish(store, pattern(100_000));
      const restored = await store.restore((source) => source.cancel("enough"));
      assertEqual(restored?.meta.id, id, "snapshot");
    },
  ),

  checkStoresThatKeep(
    "restore() can run twice, and while a snapshot is written",
    async (store) => {
      const old = await publish(store, "old");
      const [first, second, id] = await Promise.all([
        restoreText(store),
        restoreText(store),
        publish(store, "new", { index: 11n }),
      ]);
      for (const { meta, text } of [first, second]) {
        assert(
          text === (meta?.id === id ? "new" : "old"),
          "the state is right",
        );
        assert([old, id].includes(meta?.id ?? ""), "the snapshot is known");
      }
    },
  ),

  checkStoresThatKeep(
    "restore() rejects when the store is closed meanwhile",
    async (store) => {
      await publish(store, pattern(100_000));
      const restoring = store.restore(async (source) => {
        await store.close();
        await readAll(source);
      });
      await assertRejects(restoring, StoreClosedError, "restore()");
      await assertRejects(restoreText(store), SnapshotError, "the next one");
    },
  ),
];
