/**
 * What an error of looking at a snapshot is about: its bytes
 * ({@linkcode SnapshotCorruptError}), this one snapshot
 * ({@linkcode SnapshotUnreadableError}), or the process and the place as a
 * whole ({@linkcode StoreAccessError}). The codes of the system are judged here
 * and nowhere else; the rest of the store goes by the class.
 *
 * @module
 */

import {
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotUnreadableError,
  StoreAccessError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import { describe } from "../text.ts";
import type { StoreContext } from "./context.ts";

/**
 * Codes that can be about a single file: its owner, its permission bits, or the
 * part of the disk that it is on. An unknown code is not here, and neither is an
 * error without one (Deno's `NotCapable`: a permission flag is missing): to pass
 * over a snapshot, or to restore an older one, takes a reason.
 */
const OF_ONE_FILE: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EIO",
  "ELOOP",
  // Another process has opened it for itself alone (Windows).
  "EBUSY",
  // The disk or the file system has found out that a block or an inode is bad.
  "EBADMSG",
  "ENODATA",
  "EREMOTEIO",
  "EUCLEAN",
  // What Node calls EBADMSG and EUCLEAN on Linux.
  "Unknown system error -74",
  "Unknown system error -117",
]);

/**
 * Codes by which a process or machine says that it has run out of something:
 * whichever snapshot is tried, the answer is the same.
 */
const OUT_OF_RESOURCES: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "ENOBUFS",
  "ENOSPC",
  "EDQUOT",
]);

/** Whether the process, or the machine, has no file descriptors left. */
export function isOutOfFiles(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EMFILE" || code === "ENFILE";
}

/** Whether an error says something of one snapshot and of no other. */
export function concernsSnapshot(error: unknown): error is SnapshotError {
  return error instanceof SnapshotCorruptError ||
    error instanceof SnapshotUnreadableError ||
    error instanceof SnapshotNotFoundError ||
    error instanceof UnsupportedSnapshotVersionError;
}

/** Errors can be their own cause; chains of real ones are short. */
const CAUSES_MAX = 16;

/**
 * Whether a failed restore is the fault of the process or place, so that an
 * older snapshot is not the answer. The caller's own errors count by the codes
 * of what the process has run out of; their other codes are not known here.
 */
export function concernsPlace(error: unknown): boolean {
  let each = error;
  for (let i = 0; i < CAUSES_MAX; i++) {
    if (each instanceof StoreAccessError) return true;
    if (OUT_OF_RESOURCES.has(systemCode(each) ?? "")) return true;
    each = (each as { cause?: unknown } | null | undefined)?.cause;
  }
  return false;
}

/**
 * The error that tells why `doing` something with a snapshot's file failed. One
 * of ours is returned as it is.
 */
export async function toLookError(
  context: StoreContext,
  doing: string,
  error: unknown,
): Promise<SnapshotError> {
  if (error instanceof SnapshotError) return error;
  if (!OF_ONE_FILE.has(systemCode(error) ?? "")) {
    return placeError(doing, error);
  }
  const trouble = await findTrouble(context);
  if (trouble !== undefined) return trouble;
  const message = `Cannot ${doing}: ${describe(error)}`;
  return new SnapshotUnreadableError(message, { cause: error });
}

/** An error of the place, whatever its code. */
export function placeError(doing: string, error: unknown): SnapshotError {
  if (error instanceof SnapshotError) return error;
  return new StoreAccessError(
    `Cannot ${doing}: ${describe(error)}; the fault is with the process or ` +
      "the disk, not with a snapshot: mend that and try again",
    { cause: error },
  );
}

/**
 * Looks whether it is the place itself that can't be read: the same code comes
 * from a `snapshots/` without its search bit, and from a disk that is gone.
 */
async function findTrouble(
  context: StoreContext,
): Promise<SnapshotError | undefined> {
  const { fileSystem, path } = context;
  try {
    // Any name beside the snapshots shows it, also one that is missing.
    await fileSystem.stat(`${path}/.lock`);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") {
      return placeError(`look into ${path}`, error);
    }
  }
  return undefined;
}
