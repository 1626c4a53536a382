/**
 * Claims a directory: makes it, locks it, tests that it can be written to, and
 * makes the names of an earlier process durable.
 *
 * @module
 */

import {
  StoreAccessError,
  StoreLockedError,
  systemCode,
} from "../../errors.ts";
import type { FileLock } from "../../fs/file_system.ts";
import { makeDirectories } from "../../fs/make_directories.ts";
import { isFull } from "../../system_code.ts";
import type { LockHeldDetails } from "../../fs/lock_held_error.ts";
import { describe } from "../../text.ts";
import type { Directory } from "./directory.ts";
import type { ResolvedFileBackendOptions } from "./options.ts";

/** How the lock is taken. */
type LockingOptions = Pick<
  ResolvedFileBackendOptions,
  "hostId" | "takeLockFrom"
>;

/**
 * Makes the directories, tests that they can be used, and takes the lock. Also
 * called later, when another program removed the directories of an open store.
 *
 * @throws {StoreAccessError} when the directory can't be used.
 * @throws {StoreLockedError} when another store object holds the lock.
 */
export async function claimDirectory(
  directory: Directory,
  options: LockingOptions,
): Promise<FileLock> {
  try {
    await makeDirectories(directory.path, {
      fileSystem: directory.fileSystem,
      mode: directory.directoryMode,
      sync: (path) => directory.sync(path),
    });
    const lock = await lockUsable(directory, options);
    const owner = lock.takenOverFrom;
    if (owner) directory.report({ type: "lockTakenOver", owner });
    return lock;
  } catch (error) {
    if (error instanceof StoreLockedError) throw error;
    // This error says already how to go on: root may not write here.
    if (error instanceof StoreAccessError) throw error;
    throw accessError(directory, "write to", error);
  }
}

/**
 * The lock comes first, because two stores that test at a time would disturb
 * each other.
 */
async function lockUsable(
  directory: Directory,
  options: LockingOptions,
): Promise<FileLock> {
  const path = directory.at(".lock");
  const { fileMode: mode, fileSystem } = directory;
  const { hostId, takeLockFrom: takeFrom } = options;
  const lock = await fileSystem.lock(path, { mode, hostId, takeFrom })
    .catch((error) => {
      throw systemCode(error) === "EBUSY" ? lockedError(path, error) : error;
    });
  try {
    await testAccess(directory);
    return lock;
  } catch (error) {
    // The first error is the one that matters. A lock whose release fails is
    // given up, too: the next attempt of this process takes it.
    await lock.release().catch(() => {});
    throw error;
  }
}

/**
 * The error of a held lock, with the holder and the advice that the file system
 * gives.
 */
function lockedError(path: string, cause: unknown): StoreLockedError {
  const { owner, hint } = cause as LockHeldDetails;
  return new StoreLockedError(path, owner, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * Tests that the directory of a store that is only read is there.
 *
 * @throws {StoreAccessError} when it is not, or can't be read.
 */
export async function requireReadable(directory: Directory): Promise<void> {
  try {
    await directory.fileSystem.readDirectory(directory.path);
  } catch (error) {
    throw accessError(directory, "read", error);
  }
}

/**
 * Makes the names in a directory durable.
 *
 * @throws {StoreAccessError} when the directory can't be synced.
 */
export async function settleNames(directory: Directory): Promise<void> {
  try {
    // Survives: a power cut at any time from now on. A process that was killed
    // between renaming and syncing has left names that may not be durable. A
    // snapshot that is handed out must not get lost; and one that was renamed
    // to be deleted must not come back when the files below are gone.
    await directory.sync();
  } catch (error) {
    throw accessError(directory, "clean up", error);
  }
}

/**
 * Makes and removes a file (`testPermissions` in Go's `file_snapshot.go`; that
 * one follows a link of this name, and empties the file behind it).
 */
async function testAccess(directory: Directory): Promise<void> {
  const { fileSystem, path, fileMode } = directory;
  const test = `${path}/permTest`;
  try {
    await fileSystem.removeFile(test);
  } catch (error) {
    // A directory of that name must stay. The lock file has shown that this
    // process may write.
    if (systemCode(error) === "EISDIR") return;
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const file = await fileSystem.open(test, "create", fileMode);
  await file.close();
  await fileSystem.removeFile(test);
}

export function accessError(
  directory: Directory,
  doing: string,
  error: unknown,
): StoreAccessError {
  const advice = isFull(error)
    ? "; the disk is full: restore with the option readOnly, and make room " +
      "for a few blocks to do more"
    : "";
  return new StoreAccessError(
    `Cannot ${doing} ${directory.path}: ${describe(error)}${advice}`,
    { cause: error },
  );
}
