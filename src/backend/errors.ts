/**
 * Errors that a backend or the store makes of others.
 *
 * @module
 */

import { SnapshotError, StoreAccessError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { describe } from "../text.ts";

/** An error of ours as it is; any other as the cause of one of ours. */
export function toSnapshotError(doing: string, error: unknown): SnapshotError {
  if (isSnapshotError(error)) return error;
  return new SnapshotError(`Cannot ${doing}: ${describe(error)}`, {
    cause: error,
  });
}

/** An error of the place, whatever its class and code. */
export function placeError(doing: string, error: unknown): StoreAccessError {
  if (isSnapshotError(error, "ERR_STORE_ACCESS")) return error;
  return new StoreAccessError(
    `Cannot ${doing}: ${describe(error)}; the fault is with the process or ` +
      "the disk, not with a snapshot: mend that and try again",
    { cause: error },
  );
}
