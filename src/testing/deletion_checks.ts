/**
 * Checks of `delete()`.
 *
 * @module
 */

import { InvalidSnapshotIdError, SnapshotNotFoundError } from "../errors.ts";
import { assertEqual, assertRejects } from "./assertions.ts";
import {
  type Check,
  checkEveryStore,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import {
  INIT,
  listIds,
  pattern,
  publish,
  readAll,
  readText,
} from "./snapshots.ts";

/** The checks. */
export const deletionChecks: readonly Check[] = [
  checkStoresThatKeep(
    "delete() removes a snapshot, the last one too",
    async (store) => {
      const id = await publish(store, "state");
      await store.delete(id);
      assertEqual(await store.list(), [], "list");
      await assertRejects(store.open(id), SnapshotNotFoundError, "open()");
      await assertRejects(store.verify(id), SnapshotNotFoundError, "verify()");
      await assertRejects(store.delete(id), SnapshotNotFoundError, "delete()");
      const { meta } = await store.restore(readAll) ?? {};
      assertEqual(meta, undefined, "the restored snapshot");
    },
  ),

  checkStoresOfMany(
    "delete() removes no other snapshot",
    async (store) => {
      const first = await publish(store, "first", { index: 1n });
      const second = await publish(store, "second", { index: 2n });
      const third = await publish(store, "third", { index: 3n });
      await store.delete(second);
      assertEqual(await listIds(store), [third, first], "list");
      assertEqual(await readText(store, first), "first", "state");
      assertEqual(await readText(store, third), "third", "state");
    },
  ),

  checkStoresThatKeep("delete() does not disturb a reader", async (store) => {
    const state = pattern(5_000_000);
    const id = await publish(store, state);
    const reader = (await store.open(id)).getReader();
    let length = (await reader.read()).value?.length ?? 0;
    await store.delete(id);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const isSame = value.every((byte, i) => byte === state[length + i]);
      assertEqual(isSame, true, "whether the bytes are the written ones");
      length += value.length;
    }
    assertEqual(length, state.length, "length");
  }),

  checkStoresThatKeep(
    "two calls of delete() remove a snapshot once",
    async (store) => {
      const id = await publish(store, "state");
      const outcomes = await Promise.allSettled([
        store.delete(id),
        store.delete(id),
      ]);
      const statuses = outcomes.map(({ status }) => status).sort();
      assertEqual(statuses, ["fulfilled", "rejected"], "outcomes");
      assertEqual(await store.list(), [], "list");
    },
  ),

  checkEveryStore(
    "delete() rejects when there is no such snapshot",
    async (store) => {
      const sink = await store.create(INIT);
      for (const id of ["3-10-1", sink.id]) {
        await assertRejects(store.delete(id), SnapshotNotFoundError, id);
      }
      for (const id of ["", "..", "../outside", `${sink.id}.tmp`]) {
        await assertRejects(store.delete(id), InvalidSnapshotIdError, id);
      }
      await sink.close();
    },
  ),
];
