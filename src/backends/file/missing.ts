/**
 * Handles a snapshot with a missing file: either it is damaged, or a program
 * that removes file by file is just removing it.
 *
 * @module
 */

import { SnapshotNotFoundError, systemCode } from "../../errors.ts";
import type { FileStat } from "../../fs/file_system.ts";
import { pause } from "../../backend/pause.ts";
import type { Directory } from "./directory.ts";
import { toLookError } from "./error_scope.ts";
import type { Marks } from "./marks.ts";

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

/** A directory that keeps changing is not just being removed. */
const LOOKS_MAX = 256;

/** Waits for removals that may be under way, each once. */
export class RemovalWait {
  readonly #directory: Directory;
  readonly #marks: Marks;
  /** Snapshots with a missing file that were given time to disappear. */
  readonly #waitedFor = new Set<string>();
  /** Aborts when the store is closed. */
  closing: AbortSignal | undefined;

  constructor(directory: Directory, marks: Marks) {
    this.#directory = directory;
    this.#marks = marks;
  }

  /**
   * Resolves once it is clear that a snapshot with a missing file stays.
   *
   * @throws {SnapshotNotFoundError} when the snapshot has been removed.
   * @throws {StoreClosedError} when the store is closed meanwhile.
   */
  async end(id: string): Promise<void> {
    for (let look = 0; look < LOOKS_MAX; look++) {
      const { modifiedMs } = await requireDirectory(
        this.#directory,
        this.#marks,
        id,
      );
      if (this.#waitedFor.has(id) || isQuiet(modifiedMs)) break;
      await pause(PAUSES_MS[look] ?? PAUSE_MS, this.closing);
    }
    this.#waitedFor.add(id);
  }
}

/** The disk's times are the system's, whatever clock names the snapshots. */
function isQuiet(modifiedMs: number): boolean {
  return Math.abs(Date.now() - modifiedMs) >= QUIET_MS;
}

/** Whether a snapshot's directory has an entry of that name. */
export async function isThere(
  directory: Directory,
  id: string,
  name: string,
): Promise<boolean> {
  try {
    await directory.fileSystem.stat(directory.at(`${id}/${name}`));
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw await toLookError(
      directory,
      `look at ${name} of snapshot ${id}`,
      error,
    );
  }
}

/**
 * Checks that a snapshot of that ID exists. A link to a directory does not
 * count, because its target is not in the store.
 *
 * @throws {SnapshotNotFoundError} when there is no directory of that name.
 */
export async function requireDirectory(
  directory: Directory,
  marks: Marks,
  id: string,
): Promise<FileStat> {
  let cause: unknown;
  try {
    const stat = await directory.fileSystem.stat(directory.at(id));
    const isThere = stat.kind === "directory" &&
      await marks.read(id) === "none";
    if (isThere) return stat;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw await toLookError(directory, `look at snapshot ${id}`, error);
    }
    cause = error;
  }
  throw new SnapshotNotFoundError(
    `Cannot find snapshot ${id} in ${directory.path}`,
    { cause },
  );
}
