/**
 * Checks of `verify()` without a damaged snapshot.
 *
 * @module
 */

import { InvalidSnapshotIdError, SnapshotNotFoundError } from "../errors.ts";
import { assert, assertEqual, assertRejects, rejection } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { pattern, publish } from "./snapshots.ts";

/** The checks. */
export const verifyingChecks: readonly Check[] = [
  checkStoresThatKeep(
    "verify() reports a good snapshot as good",
    async (store) => {
      for (const state of ["", "state", pattern(100_000)]) {
        const id = await publish(store, state);
        const report = await store.verify(id);
        assertEqual([report.id, report.ok], [id, true], "ID, and whether ok");
        assertEqual(report.meta, (await store.list())[0], "metadata");
        assertEqual(report.badOffsets, [], "bad blocks");
        assertEqual(report.errors, [], "errors");
        const { blockSize, blockCount } = report;
        const count = Math.ceil(state.length / blockSize);
        assertEqual(blockCount, count, "number of blocks");
      }
    },
  ),

  checkEveryStore(
    "verify() rejects for an ID that is unknown or not valid",
    async (store) => {
      const missing = store.verify("3-10-1");
      await assertRejects(missing, SnapshotNotFoundError, "verify()");
      const invalid = store.verify("../outside");
      await assertRejects(invalid, InvalidSnapshotIdError, "verify()");
    },
  ),

  checkStoresThatKeep("verify() reports its progress", async (store) => {
    const id = await publish(store, pattern(100_000));
    const reports: number[] = [];
    await store.verify(id, {
      onProgress({ done, total }) {
        assertEqual(total, 100_000, "total");
        reports.push(done);
      },
    });
    assert(
      reports.every((done, i) => done > (reports[i - 1] ?? 0)),
      "it grows",
    );
    assertEqual(reports.at(-1), 100_000, "last report");
  }),

  checkStoresThatKeep(
    "verify() ends with the reason when its signal aborts",
    async (store) => {
      const id = await publish(store, pattern(100_000));
      const reason = new Error("enough");
      const before = AbortSignal.abort(reason);
      const error = await rejection(store.verify(id, { signal: before }), "it");
      assert(error === reason, "the error is the signal's reason");
      const controller = new AbortController();
      const { signal } = controller;
      const verifying = store.verify(id, {
        signal,
        onProgress: () => controller.abort(reason),
      });
      const later = await rejection(verifying, "verify()");
      assert(later === reason, "the error is the signal's reason");
      assertEqual((await store.verify(id)).ok, true, "whether it is good");
    },
  ),
];
