/**
 * Decides whether an error concerns one snapshot, or the process and the place
 * as a whole. The store decides by the classes of errors; the backends map the
 * codes of their system to these classes.
 *
 * @module
 */

import { placeError } from "../backend/errors.ts";
import {
  type SnapshotCorruptError,
  type SnapshotError,
  systemCode,
} from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { isFull, isOutOfResources, withCauses } from "../system_code.ts";

/**
 * Whether the process or machine has run out of a resource, so that every
 * snapshot would fail in the same way. Other work may free it soon.
 */
export function hasRunOut(error: unknown): boolean {
  return isOutOfResources(error) || isFull(error) ||
    systemCode(error) === "EAGAIN";
}

/** Whether an error is about one snapshot only. */
export function concernsSnapshot(error: unknown): error is SnapshotError {
  return isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT") ||
    isSnapshotError(error, "ERR_SNAPSHOT_UNREADABLE") ||
    isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND") ||
    isSnapshotError(error, "ERR_SNAPSHOT_TOO_LARGE") ||
    isSnapshotError(error, "ERR_SNAPSHOT_VERSION_UNSUPPORTED");
}

/**
 * The error for a failed read of a backend. An error that is not about a
 * snapshot is about the place, whatever its class.
 */
export function toReadError(doing: string, error: unknown): SnapshotError {
  return concernsSnapshot(error) ? error : placeError(doing, error);
}

/**
 * Whether a failed restore must not fall back to an older snapshot, because the
 * process or place is at fault, or the caller's own limit. The caller's other
 * errors count only by the codes of exhausted resources, because the meaning of
 * their other codes is not known here.
 */
export function endsRestore(error: unknown): boolean {
  if (isSnapshotError(error, "ERR_SNAPSHOT_TOO_LARGE")) return true;
  for (const each of withCauses(error)) {
    if (isSnapshotError(each, "ERR_STORE_ACCESS")) return true;
    if (hasRunOut(each)) return true;
  }
  return false;
}

/** Whether an error says that a snapshot's bytes are not the written ones. */
export function isCorruption(error: unknown): error is SnapshotCorruptError {
  return isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT");
}
