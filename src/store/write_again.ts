/**
 * Writes a snapshot again when the place has lost its bytes.
 *
 * @module
 */

import type { BackendHost } from "../backend/backend.ts";
import { isWriteAgain } from "../backend/write_again_error.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";

/** How often a state is written: each time takes as long as the first. */
const WRITES_MAX = 3;

/** The parties to a repetition. */
export interface WriteAgainOptions {
  /** Ends it when it aborts. */
  readonly signal: AbortSignal | undefined;
  /** Gets an event before each repetition. */
  readonly report: BackendHost["report"];
}

/**
 * Calls `write`, which writes a whole snapshot from a source that can be read
 * again; and calls it again when the backend has rejected with a
 * `WriteAgainError`.
 *
 * @throws {unknown} the error of the last call, or the reason of the signal.
 */
export async function writeAgain<T>(
  write: () => Promise<T>,
  { signal, report }: WriteAgainOptions,
): Promise<T> {
  for (let writes = 1;; writes++) {
    try {
      return await write();
    } catch (error) {
      if (writes === WRITES_MAX || !isWorthRepeating(error)) throw error;
      signal?.throwIfAborted();
      report({ type: "retrying", operation: "write a snapshot", error });
    }
  }
}

/** Whether a sink has failed so, and its snapshot never becomes visible. */
function isWorthRepeating(error: unknown): boolean {
  return isSnapshotError(error, "ERR_SNAPSHOT_PUBLISH") && !error.published &&
    isWriteAgain(error.cause);
}
