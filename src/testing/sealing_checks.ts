/**
 * Checks of `seal()`.
 *
 * @module
 */

import {
  InvalidSnapshotIdError,
  SnapshotCorruptError,
  SnapshotNotFoundError,
} from "../errors.ts";
import { assert, assertEqual, assertRejects, rejection } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { pattern, publish, readAll, readText } from "./snapshots.ts";

/** The checks. */
export const sealingChecks: readonly Check[] = [
  checkStoresThatKeep(
    "seal() does not change a snapshot that has block checksums",
    async (store) => {
      const id = await publish(store, "state");
      const [meta] = await store.list();
      const before = await store.verify(id);
      assertEqual(await store.seal(id), meta, "metadata");
      assertEqual(await store.verify(id), before, "report");
    },
  ),

  checkEveryStore(
    "seal() rejects when there is no such snapshot",
    async (store) => {
      const missing = store.seal("3-10-1");
      await assertRejects(missing, SnapshotNotFoundError, "seal()");
      const invalid = store.seal("../outside");
      await assertRejects(invalid, InvalidSnapshotIdError, "seal()");
    },
  ),

  checkStoresThatKeep(
    "seal() adds block checksums to a snapshot without them",
    async (store, { unseal }) => {
      const state = pattern(100_000);
      const id = await publish(store, state);
      const [meta] = await store.list();
      await unseal(id);
      assertEqual((await store.verify(id)).sealed, false, "whether sealed");
      assertEqual(await store.seal(id), meta, "metadata");
      const { ok, sealed } = await store.verify(id);
      assertEqual([ok, sealed], [true, true], "whether ok, and sealed");
      const read = await readAll(await store.open(id));
      assert(read.every((byte, i) => byte === state[i]), "the state is right");
    },
    ["unseal"],
  ),

  checkStoresThatKeep(
    "a snapshot without block checksums is listed, read and restored",
    async (store, { unseal }) => {
      const id = await publish(store, "state");
      await unseal(id);
      assertEqual((await store.list())[0]?.id, id, "list");
      assertEqual(await readText(store, id), "state", "state");
      const part = await store.open(id, { start: 1, end: 3 });
      assertEqual(await new Response(part).text(), "ta", "part");
      const restored = await store.restore(readAll);
      assertEqual(restored?.meta.id, id, "snapshot");
    },
    ["unseal"],
  ),

  checkStoresThatKeep(
    "seal() rejects for a corrupt snapshot, and writes nothing",
    async (store, { corrupt, unseal }) => {
      const id = await publish(store, "state");
      await unseal(id);
      await corrupt(id);
      await assertRejects(store.seal(id), SnapshotCorruptError, "seal()");
      const { ok, sealed } = await store.verify(id);
      assertEqual([ok, sealed], [false, false], "whether ok, and sealed");
    },
    ["corrupt", "unseal"],
  ),

  checkStoresThatKeep(
    "seal() ends with the reason of a signal that has aborted",
    async (store) => {
      const id = await publish(store, "state");
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      const error = await rejection(store.seal(id, { signal }), "seal()");
      assert(error === reason, "the error is the signal's reason");
    },
  ),
];
