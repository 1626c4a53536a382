/**
 * Opening a store: its directories, the test that it can be written to, and the
 * removal of what a crash left behind.
 *
 * @module
 */

import { StoreAccessError, StoreLockedError, systemCode } from "../errors.ts";
import type { FileLock } from "../fs/file_system.ts";
import { describe, type StoreContext, syncDirectory } from "./context.ts";
import { temporaryName } from "./ids.ts";
import { removeTemporary } from "./remove.ts";
import { readNames } from "./scan.ts";

/**
 * Makes the directories, tests that they can be used, and takes the lock. Also
 * called later, when somebody has removed the directories of an open store.
 *
 * @throws {StoreAccessError} when the directory can't be used.
 * @throws {StoreLockedError} when another store object has it.
 */
export async function claimDirectory(context: StoreContext): Promise<FileLock> {
  try {
    await makeDirectories(context);
    return await lockUsable(context);
  } catch (error) {
    if (error instanceof StoreLockedError) throw error;
    throw accessError(context, "write to", error);
  }
}

/** The lock comes first: two that test at a time would fail each other. */
async function lockUsable(context: StoreContext): Promise<FileLock> {
  const lock = await context.fileSystem.lock(`${context.path}/.lock`);
  try {
    await testAccess(context);
    return lock;
  } catch (error) {
    await lock.release().catch(() => {});
    throw error;
  }
}

/**
 * Tests that the directory of a store that is only read is there.
 *
 * @throws {StoreAccessError} when it is not, or can't be read.
 */
export async function requireReadable(context: StoreContext): Promise<void> {
  try {
    await context.fileSystem.readDirectory(context.path);
  } catch (error) {
    throw accessError(context, "read", error);
  }
}

/**
 * Removes the `.tmp` directories that a crash has left.
 *
 * @throws {StoreAccessError} when the directory can't be read or synced.
 */
export async function sweep(context: StoreContext): Promise<void> {
  try {
    await removeLeftovers(context);
  } catch (error) {
    throw accessError(context, "clean up", error);
  }
}

async function removeLeftovers(context: StoreContext): Promise<void> {
  const { temporary } = await readNames(context);
  const leftovers = temporary.filter(({ state }) => state !== "corrupt");
  if (leftovers.length === 0) return;
  // Survives: a power cut while the files below go away. Who was killed after
  // renaming a snapshot to delete it may not have come to make that durable.
  await syncDirectory(context, context.path);
  for (const leftover of leftovers) {
    const name = temporaryName(leftover);
    await removeTemporary(context, name);
    context.logger.info(`Removed ${name}, which a crash had left behind`);
  }
}

async function makeDirectories(context: StoreContext): Promise<void> {
  const missing = await findMissing(context, context.path);
  for (const path of missing) {
    try {
      await context.fileSystem.makeDirectory(path, context.directoryMode);
    } catch (error) {
      // Somebody was faster.
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
  // Survives: a power cut after the first publication. Without it the whole
  // store could be missing. `snapshots/` is synced into its parent even when it
  // was there: an earlier start may have been killed before it could do so.
  for (const path of new Set([...missing, context.path])) {
    await syncDirectory(context, parentOf(path));
  }
}

/** The directories to make, outermost first. */
async function findMissing(
  context: StoreContext,
  path: string,
): Promise<string[]> {
  try {
    await context.fileSystem.stat(path);
    return [];
  } catch (error) {
    const parent = parentOf(path);
    if (systemCode(error) !== "ENOENT" || parent === path) throw error;
    return [...await findMissing(context, parent), path];
  }
}

/** The directory that holds `path`. */
function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  // "/a" and "C:/a" are in "/" and "C:/".
  return /^([A-Za-z]:)?$/.test(path.slice(0, end))
    ? path.slice(0, end + 1)
    : path.slice(0, end);
}

/**
 * Makes and removes a file (`testPermissions` in Go's `file_snapshot.go`; that
 * one follows a link of this name, and empties the file behind it).
 */
async function testAccess(context: StoreContext): Promise<void> {
  const { fileSystem, path, fileMode } = context;
  const test = `${path}/permTest`;
  try {
    await fileSystem.removeFile(test);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const file = await fileSystem.open(test, "create", fileMode);
  await file.close();
  await fileSystem.removeFile(test);
}

function accessError(
  context: StoreContext,
  doing: string,
  error: unknown,
): StoreAccessError {
  return new StoreAccessError(
    `Cannot ${doing} ${context.path}: ${describe(error)}`,
    { cause: error },
  );
}
