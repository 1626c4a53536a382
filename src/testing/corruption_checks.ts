/**
 * Checks with a snapshot whose state is damaged.
 *
 * @module
 */

import {
  NoUsableSnapshotError,
  SnapshotCorruptError,
  SnapshotNotFoundError,
} from "../errors.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { assert, assertEqual, assertRejects, rejection } from "./assertions.ts";
import {
  type Check,
  type CheckContext,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import {
  encode,
  INIT,
  listIds,
  pattern,
  publish,
  readAll,
  readText,
  restoreText,
  streamOf,
} from "./snapshots.ts";

type Corrupt = CheckContext["corrupt"];

/** Publishes a snapshot, and damages it. */
async function publishCorrupt(
  store: SnapshotStore,
  corrupt: Corrupt,
  index: bigint,
): Promise<string> {
  const id = await publish(store, `corrupt ${index}`, { index });
  await corrupt(id);
  return id;
}

function corruptionCheck(
  declare: typeof checkStoresThatKeep,
  name: string,
  run: (store: SnapshotStore, corrupt: Corrupt) => Promise<void>,
): Check {
  return declare(name, (store, { corrupt }) => run(store, corrupt), [
    "corrupt",
  ]);
}

/** The checks. */
export const corruptionChecks: readonly Check[] = [
  corruptionCheck(
    checkStoresThatKeep,
    "a corrupt snapshot is never read to its end",
    async (store, corrupt) => {
      for (const size of [1, 100_000]) {
        const id = await publish(store, pattern(size));
        await corrupt(id);
        for (const verify of ["auto", "before", "stream"] as const) {
          const reading = store.open(id, { verify }).then(readAll);
          await assertRejects(reading, SnapshotCorruptError, verify);
        }
      }
    },
  ),

  corruptionCheck(
    checkStoresThatKeep,
    "no byte of a corrupt snapshot is handed out wrong",
    async (store, corrupt) => {
      const state = pattern(100_000);
      const id = await publish(store, state);
      await corrupt(id);
      const reader = (await store.open(id)).getReader();
      let length = 0;
      const error = await rejection(
        (async () => {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            for (const byte of value) {
              assertEqual(byte, state[length], `byte ${length}`);
              length++;
            }
          }
        })(),
        "reading it",
      );
      assert(error instanceof SnapshotCorruptError, String(error));
    },
  ),

  corruptionCheck(
    checkStoresThatKeep,
    "verify() reports a corrupt snapshot, and does not reject",
    async (store, corrupt) => {
      const id = await publishCorrupt(store, corrupt, 10n);
      const report = await store.verify(id);
      assertEqual([report.id, report.ok], [id, false], "ID, and whether ok");
      assert(report.errors[0] instanceof SnapshotCorruptError, "an error");
      assertEqual(report.meta?.id, id, "metadata");
    },
  ),

  corruptionCheck(
    checkStoresThatKeep,
    "delete() removes a corrupt snapshot",
    async (store, corrupt) => {
      const id = await publishCorrupt(store, corrupt, 10n);
      await store.delete(id);
      assertEqual(await store.list(), [], "list");
    },
  ),

  corruptionCheck(
    checkStoresOfMany,
    "restore() falls back to an older snapshot, and quarantines the corrupt one",
    async (store, corrupt) => {
      const oldest = await publish(store, "oldest", { index: 1n });
      const good = await publish(store, "good", { index: 2n });
      const bad = await publishCorrupt(store, corrupt, 3n);
      const { meta, text, tried } = await restoreText(store);
      assertEqual([meta?.id, text], [good, "good"], "snapshot");
      assertEqual(tried, [bad, good], "snapshots that were tried");
      assertEqual(await listIds(store), [good, oldest], "list");
      const entries = await store.list({ unusable: true });
      assertEqual(entries.map(({ id, state }) => [id, state]), [
        [bad, "quarantined"],
        [good, "usable"],
        [oldest, "usable"],
      ], "list with unusable ones");
      await assertRejects(store.open(bad), SnapshotNotFoundError, "open()");
      assertEqual((await restoreText(store)).tried, [good], "the next time");
    },
  ),

  corruptionCheck(
    checkStoresOfMany,
    "restore() passes over each corrupt snapshot",
    async (store, corrupt) => {
      const good = await publish(store, "good", { index: 1n });
      const older = await publishCorrupt(store, corrupt, 2n);
      const newer = await publishCorrupt(store, corrupt, 3n);
      const { meta, tried } = await restoreText(store);
      assertEqual(meta?.id, good, "snapshot");
      assertEqual(tried, [newer, older, good], "snapshots that were tried");
      assertEqual(await listIds(store), [good], "list");
    },
  ),

  corruptionCheck(
    checkStoresThatKeep,
    "restore() rejects when the only snapshot is corrupt, and keeps it",
    async (store, corrupt) => {
      const id = await publishCorrupt(store, corrupt, 10n);
      for (const attempt of ["the first", "the second"]) {
        const error = await rejection(restoreText(store), attempt);
        assert(error instanceof NoUsableSnapshotError, String(error));
        const [reason] = error.errors;
        assert(reason instanceof SnapshotCorruptError, String(reason));
        assertEqual(await listIds(store), [id], "list");
      }
    },
  ),

  corruptionCheck(
    checkStoresOfMany,
    "restore() does not take a store for empty that has one in quarantine",
    async (store, corrupt) => {
      const good = await publish(store, "good", { index: 1n });
      await publishCorrupt(store, corrupt, 2n);
      await restoreText(store);
      await store.delete(good);
      const restoring = restoreText(store);
      await assertRejects(restoring, NoUsableSnapshotError, "restore()");
    },
  ),

  corruptionCheck(
    checkStoresThatKeep,
    "reap() never removes the only good snapshot",
    async (store, corrupt) => {
      // Published side by side, so that even a store that retains one has both.
      const newer = await store.create({ ...INIT, index: 20n });
      const older = await store.create({ ...INIT, index: 10n });
      await streamOf(encode("newer")).pipeTo(newer);
      await streamOf(encode("older")).pipeTo(older);
      await corrupt(newer.id);
      await store.verify(newer.id);
      await store.reap();
      assertEqual(await readText(store, older.id), "older", "state");
      assertEqual((await restoreText(store)).meta?.id, older.id, "restored");
    },
  ),

  corruptionCheck(
    checkStoresOfMany,
    "a corrupt snapshot does not count as one that is retained",
    async (store, corrupt) => {
      const good = await publish(store, "good", { index: 1n });
      for (const index of [2n, 3n, 4n]) {
        const id = await publishCorrupt(store, corrupt, index);
        await store.verify(id);
      }
      await store.reap();
      assertEqual(await readText(store, good), "good", "state");
    },
  ),
];
