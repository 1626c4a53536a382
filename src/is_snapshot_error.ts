/**
 * Recognizes errors of this library, whichever copy of the package made them.
 *
 * @module
 */

import {
  type InvalidSnapshotIdError,
  type NoUsableSnapshotError,
  type OperationUnsupportedError,
  SNAPSHOT_ERROR,
  type SnapshotCorruptError,
  type SnapshotError,
  type SnapshotErrorCode,
  type SnapshotNotFoundError,
  type SnapshotPublishError,
  type SnapshotRetainedError,
  type SnapshotTooLargeError,
  type SnapshotUnreadableError,
  type StoreAccessError,
  type StoreClosedError,
  type StoreLockedError,
  type UnsupportedSnapshotVersionError,
} from "./errors.ts";

/** The class of errors for each code. */
export interface SnapshotErrors {
  /** The store has snapshots, but none of them could be restored. */
  readonly ERR_NO_USABLE_SNAPSHOT: NoUsableSnapshotError;
  /** The place does not support the operation. */
  readonly ERR_OPERATION_UNSUPPORTED: OperationUnsupportedError;
  /** An error without a class of its own. */
  readonly ERR_SNAPSHOT: SnapshotError & { readonly code: "ERR_SNAPSHOT" };
  /** An archive can't be trusted: `SnapshotArchiveError` of `./archive`. */
  readonly ERR_SNAPSHOT_ARCHIVE:
    & SnapshotError
    & { readonly code: "ERR_SNAPSHOT_ARCHIVE" };
  /** The bytes on disk are not the bytes that were written. */
  readonly ERR_SNAPSHOT_CORRUPT: SnapshotCorruptError;
  /** The string is not a snapshot ID. */
  readonly ERR_SNAPSHOT_ID_INVALID: InvalidSnapshotIdError;
  /** There is no snapshot of that ID. */
  readonly ERR_SNAPSHOT_NOT_FOUND: SnapshotNotFoundError;
  /** A snapshot could not be written or published. */
  readonly ERR_SNAPSHOT_PUBLISH: SnapshotPublishError;
  /** The place does not allow the snapshot to be removed. */
  readonly ERR_SNAPSHOT_RETAINED: SnapshotRetainedError;
  /** A state is larger than the receiver accepts. */
  readonly ERR_SNAPSHOT_TOO_LARGE: SnapshotTooLargeError;
  /** One snapshot can't be read, but may be good. */
  readonly ERR_SNAPSHOT_UNREADABLE: SnapshotUnreadableError;
  /** The snapshot's format version is unknown. */
  readonly ERR_SNAPSHOT_VERSION_UNSUPPORTED: UnsupportedSnapshotVersionError;
  /** The place can't be used as a store. */
  readonly ERR_STORE_ACCESS: StoreAccessError;
  /** The store has been closed. */
  readonly ERR_STORE_CLOSED: StoreClosedError;
  /** Another store object holds the lock. */
  readonly ERR_STORE_LOCKED: StoreLockedError;
}

/**
 * Whether a value is an error of this library with that code. It also works
 * where `instanceof` fails, because a program has loaded two copies of this
 * package, such as one of a dependency.
 *
 * @example Tell a missing snapshot from a corrupt one
 * ```ts
 * import { isSnapshotError, MemorySnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new MemorySnapshotStore();
 * try {
 *   await store.open("3-10-1767312000000");
 * } catch (error) {
 *   assert.ok(isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND"));
 * }
 * ```
 */
export function isSnapshotError<
  Code extends SnapshotErrorCode = SnapshotErrorCode,
>(error: unknown, code?: Code): error is SnapshotErrors[Code] {
  if (!isMarked(error)) return false;
  return code === undefined || error.code === code;
}

function isMarked(error: unknown): error is SnapshotError {
  try {
    return typeof error === "object" && error !== null &&
      (error as { readonly [SNAPSHOT_ERROR]?: unknown })[SNAPSHOT_ERROR] ===
        true;
  } catch {
    // A getter or a proxy of the caller's has thrown.
    return false;
  }
}
