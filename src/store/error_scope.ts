/**
 * What an error concerns: one snapshot, or the process and the place as a
 * whole. The store decides by the classes of errors; the backends map the codes
 * of their system to these classes.
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
 * Whether a process or machine says that it has run out of something: whichever
 * snapshot is tried, the answer is the same. Other work may give it back soon.
 */
export function hasRunOut(error: unknown): boolean {
  return isOutOfResources(error) || isFull(error) ||
    systemCode(error) === "EAGAIN";
}

/** Whether an error says something of one snapshot and of no other. */
export function concernsSnapshot(error: unknown): error is SnapshotError {
  return isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT") ||
    isSnapshotError(error, "ERR_SNAPSHOT_UNREADABLE") ||
    isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND") ||
    isSnapshotError(error, "ERR_SNAPSHOT_TOO_LARGE") ||
    isSnapshotError(error, "ERR_SNAPSHOT_VERSION_UNSUPPORTED");
}

/**
 * The error that tells why a backend did not read something. What is not about
 * a snapshot is about the place, whatever class it has.
 */
export function toReadError(doing: string, error: unknown): SnapshotError {
  return concernsSnapshot(error) ? error : placeError(doing, error);
}

/**
 * Whether an older snapshot is not the answer to a failed restore: the process
 * or place is at fault, or the caller's own limit. The caller's other errors
 * count by the codes of what the process has run out of; their other codes are
 * not known here.
 */
export function endsRestore(error: unknown): boolean {
  if (isSnapshotError(error, "ERR_SNAPSHOT_TOO_LARGE")) return true;
  for (const each of withCauses(error)) {
    if (isSnapshotError(each, "ERR_STORE_ACCESS")) return true;
    if (hasRunOut(each)) return true;
  }
  return false;
}

/** Whether the bytes of a snapshot are not the ones that were written. */
export function isCorruption(error: unknown): error is SnapshotCorruptError {
  return isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT");
}
