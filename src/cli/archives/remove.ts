/** Removes archives that a policy does not keep. */

import type { ArchiveStore, StoredArchive } from "../../archive/mod.ts";
import { type RetentionDecision, SnapshotError } from "../../../mod.ts";
import { warn } from "../output.ts";
import { messageOf } from "../reason.ts";

/** The outcome of a removal. */
export interface Removal {
  readonly removed: readonly StoredArchive[];
  readonly failed: readonly StoredArchive[];
}

/** Removes them; warns of those that can't be removed. */
export async function removeArchives(
  store: ArchiveStore,
  decisions: readonly RetentionDecision<StoredArchive>[],
  signal: AbortSignal,
): Promise<Removal> {
  const removed: StoredArchive[] = [];
  const failed: StoredArchive[] = [];
  // The oldest first, so that an interruption leaves a valid history.
  for (const { item, keep } of [...decisions].reverse()) {
    if (keep) continue;
    signal.throwIfAborted();
    try {
      await store.delete(item.name);
      removed.push(item);
    } catch (error) {
      // After a failure the others are still removed.
      if (!(error instanceof SnapshotError)) throw error;
      warn(messageOf(error));
      failed.push(item);
    }
  }
  return { removed, failed };
}
