/**
 * Decides whether an error of the system is about one snapshot
 * ({@linkcode SnapshotUnreadableError}), or about the process and the directory
 * as a whole ({@linkcode StoreAccessError}). The system's codes are interpreted
 * here; the store goes by the class.
 *
 * @module
 */

import { placeError } from "../../backend/errors.ts";
import {
  SnapshotError,
  SnapshotUnreadableError,
  systemCode,
} from "../../errors.ts";
import { describe } from "../../text.ts";
import type { Directory } from "./directory.ts";

/**
 * Codes that can be about a single file: its owner, its permission bits, or the
 * part of the disk that it is on. An unknown code is not here, and neither is
 * an error without one (Deno's `NotCapable`: a permission flag is missing): a
 * snapshot is passed over, or an older one restored, only for a known reason.
 */
const OF_ONE_FILE: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EIO",
  "ELOOP",
  // Another process has opened the file exclusively (Windows; not run there).
  "EBUSY",
  // The disk or the file system has found out that a block or an inode is bad.
  "EBADMSG",
  "ENODATA",
  "EREMOTEIO",
  "EUCLEAN",
]);

/** Whether the process, or the machine, has no file descriptors left. */
export function isOutOfFiles(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EMFILE" || code === "ENFILE";
}

/**
 * The error for a failed operation on a snapshot's file. An error of this
 * library is returned unchanged.
 */
export async function toLookError(
  directory: Directory,
  doing: string,
  error: unknown,
): Promise<SnapshotError> {
  if (error instanceof SnapshotError) return error;
  if (!OF_ONE_FILE.has(systemCode(error) ?? "")) {
    return placeError(doing, error);
  }
  const trouble = await findTrouble(directory);
  if (trouble !== undefined) return trouble;
  const message = `Cannot ${doing}: ${describe(error)}`;
  return new SnapshotUnreadableError(message, { cause: error });
}

/**
 * Finds out whether the place itself can't be read: the same code comes from a
 * `snapshots/` without its search bit, and from a disk that is gone.
 */
async function findTrouble(
  directory: Directory,
): Promise<SnapshotError | undefined> {
  const { fileSystem, path } = directory;
  try {
    // Any name beside the snapshots shows the trouble, also a missing one.
    await fileSystem.stat(`${path}/.lock`);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") {
      return placeError(`look into ${path}`, error);
    }
  }
  return undefined;
}
