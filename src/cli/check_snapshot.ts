/** Checks every byte of a snapshot in a store. */

import {
  InvalidSnapshotIdError,
  SnapshotError,
  SnapshotNotFoundError,
  type SnapshotReader,
} from "../../mod.ts";
import type { Finding } from "./finding.ts";
import { startProgress } from "./progress.ts";

/**
 * Checks a snapshot, with a progress bar.
 *
 * @throws {SnapshotNotFoundError} when there is none of that ID.
 */
export async function checkSnapshot(
  store: SnapshotReader,
  id: string,
  signal?: AbortSignal,
): Promise<Finding> {
  const progress = startProgress(`Checking ${id}`);
  try {
    const report = await store.verify(id, {
      signal,
      onProgress: ({ done, total }) => progress.update(done, total),
    });
    return { ...report, report };
  } catch (error) {
    // A version that is not known, or a disk that does not answer, is not a
    // reason to leave the others unchecked.
    if (!isFinding(error)) throw error;
    return { id, meta: undefined, errors: [error], report: undefined };
  } finally {
    progress.stop();
  }
}

function isFinding(error: unknown): error is SnapshotError {
  return error instanceof SnapshotError &&
    !(error instanceof SnapshotNotFoundError) &&
    !(error instanceof InvalidSnapshotIdError);
}
