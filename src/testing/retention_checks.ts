/**
 * Checks of retention.
 *
 * @module
 */

import { assertEqual } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { INIT, listIds, publish, readText } from "./snapshots.ts";

/** The checks. */
export const retentionChecks: readonly Check[] = [
  checkStoresThatKeep(
    "every close leaves the newest snapshots, as many as are retained",
    async (store, { retain }) => {
      const ids: string[] = [];
      for (let index = 1; index <= retain + 2; index++) {
        ids.unshift(await publish(store, `state ${index}`, { index }));
        assertEqual(await listIds(store), ids.slice(0, retain), "list");
      }
      await store.reap();
      assertEqual(await listIds(store), ids.slice(0, retain), "list");
    },
    ["retain"],
  ),

  checkStoresThatKeep(
    "the snapshot that was published last is kept, even when its term is lower",
    async (store, { retain }) => {
      for (let index = 1; index <= retain; index++) {
        await publish(store, "higher term", { term: 9n, index });
      }
      const newest = (await listIds(store))[0];
      const id = await publish(store, "lower term", { term: 3n });
      assertEqual(await readText(store, id), "lower term", "state");
      assertEqual((await listIds(store))[0], newest, "newest");
    },
    ["retain"],
  ),

  checkStoresThatKeep(
    "the newest of the snapshots that were published side by side is kept",
    async (store) => {
      const older = await store.create({ ...INIT, index: 10n });
      const newer = await store.create({ ...INIT, index: 20n });
      await newer.close();
      await older.close();
      await store.reap();
      assertEqual((await listIds(store))[0], newer.id, "newest");
    },
  ),

  checkStoresThatKeep(
    "reap() removes nothing that is retained, also when it runs twice",
    async (store) => {
      await publish(store, "state");
      const id = await publish(store, "newest", { index: 11n });
      const before = await listIds(store);
      await Promise.all([store.reap(), store.reap(), store.reap()]);
      assertEqual(await listIds(store), before, "list");
      assertEqual(await readText(store, id), "newest", "state");
    },
  ),

  checkEveryStore("reap() of an empty store does nothing", async (store) => {
    await store.reap();
    assertEqual(await store.list(), [], "list");
  }),
];
