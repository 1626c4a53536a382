/**
 * Converts other errors to those of this library.
 *
 * @module
 */

import { SnapshotError, StoreAccessError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { describe } from "../text.ts";

/** Returns an error of this library unchanged, and wraps any other. */
export function toSnapshotError(doing: string, error: unknown): SnapshotError {
  if (isSnapshotError(error)) return error;
  return new SnapshotError(`Cannot ${doing}: ${describe(error)}`, {
    cause: error,
  });
}

/** Makes an error of the place, whatever the class and code of the cause. */
export function placeError(doing: string, error: unknown): StoreAccessError {
  if (isSnapshotError(error, "ERR_STORE_ACCESS")) return error;
  return new StoreAccessError(
    `Cannot ${doing}: ${describe(error)}; the fault is with the process or ` +
      "the disk, not with a snapshot: remove the fault and try again",
    { cause: error },
  );
}
