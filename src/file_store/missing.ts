/**
 * A snapshot of which a file is missing: it is damaged, or it is just being
 * removed by a program that removes file by file.
 *
 * @module
 */

import { SnapshotNotFoundError, systemCode } from "../errors.ts";
import type { FileStat } from "../fs/file_system.ts";
import type { StoreContext } from "./context.ts";
import { toLookError } from "./error_scope.ts";
import { readMark } from "./marks.ts";

/**
 * Go's `ReapSnapshots` calls `os.RemoveAll`, which unlinks the files one after
 * the other, in the order of the directory, and the directory last. (The store's
 * own removal renames the directory first, and is never seen like this.) The gap
 * between two of these calls is microseconds, but for the unlinking of
 * `state.bin`: its name goes at once, and then the call gives its blocks back to
 * the disk: about 0.2 s for each GiB, measured on ext4. Each call sets the time
 * at which the directory was changed. So a removal is over, or was never under
 * way, once the directory has not changed for this long.
 */
const QUIET_MS = 2000;

/** Pauses before the first further looks, and before each one after these. */
const PAUSES_MS: readonly number[] = [5, 25];
const PAUSE_MS = 50;

/** A directory that changes all the time is not just being removed. */
const LOOKS_MAX = 256;

/**
 * Resolves once it is clear that a snapshot with a missing file stays.
 *
 * @throws {SnapshotNotFoundError} when the snapshot has been removed.
 */
export async function waitForRemoval(
  context: StoreContext,
  id: string,
): Promise<void> {
  const { incomplete } = context;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { modifiedMs } = await requireDirectory(context, id);
    // What has been waited for once is not waited for at the next call.
    if (incomplete.has(id) || isQuiet(modifiedMs)) break;
    await pause(PAUSES_MS[look] ?? PAUSE_MS);
  }
  incomplete.add(id);
}

/** The disk's times are the system's, whatever clock names the snapshots. */
function isQuiet(modifiedMs: number): boolean {
  return Math.abs(Date.now() - modifiedMs) >= QUIET_MS;
}

/** Lets other programs work for a while, in milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a snapshot's directory has a file, or whatever, of that name. */
export async function isThere(
  context: StoreContext,
  id: string,
  name: string,
): Promise<boolean> {
  try {
    await context.fileSystem.stat(`${context.path}/${id}/${name}`);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw await toLookError(
      context,
      `look at ${name} of snapshot ${id}`,
      error,
    );
  }
}

/**
 * Looks whether there is a snapshot of that ID. A link to a directory is not
 * one: what it leads to is not in the store.
 *
 * @throws {SnapshotNotFoundError} when there is no directory of that name.
 */
export async function requireDirectory(
  context: StoreContext,
  id: string,
): Promise<FileStat> {
  let cause: unknown;
  try {
    const stat = await context.fileSystem.stat(`${context.path}/${id}`);
    const isThere = stat.kind === "directory" &&
      await readMark(context, id) === "none";
    if (isThere) return stat;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw await toLookError(context, `look at snapshot ${id}`, error);
    }
    cause = error;
  }
  throw new SnapshotNotFoundError(
    `Cannot find snapshot ${id} in ${context.path}`,
    { cause },
  );
}
