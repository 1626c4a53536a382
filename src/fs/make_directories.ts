/**
 * Making directories whose names survive a power cut.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import type { FileSystem } from "./file_system.ts";

/** How directories are made. */
export interface DirectoryMaker {
  readonly fileSystem: FileSystem;
  /** Permission bits of the directories. */
  readonly mode: number;
  /** Makes the names in a directory durable. */
  readonly sync: (path: string) => Promise<void>;
}

/**
 * Makes missing directories, outermost first. Each name is durable before
 * anything is put under it, so that after an earlier start was killed only the
 * innermost directory may not be durable.
 */
export async function makeDirectories(
  path: string,
  maker: DirectoryMaker,
): Promise<void> {
  const { fileSystem, mode, sync } = maker;
  const missing = await findMissing(fileSystem, path);
  // Survives: a power cut after the first publication. Without these syncs the
  // whole store could be missing.
  await syncNameOfExisting(path, missing[0], maker);
  for (const each of missing) {
    try {
      await fileSystem.makeDirectory(each, mode);
    } catch (error) {
      // Another process was faster.
      if (systemCode(error) !== "EEXIST") throw error;
    }
    await sync(parentOf(each));
  }
}

/** Makes the name of the innermost directory that is there durable. */
async function syncNameOfExisting(
  path: string,
  firstMissing: string | undefined,
  { sync }: DirectoryMaker,
): Promise<void> {
  if (firstMissing === undefined) return await sync(parentOf(path));
  try {
    await sync(parentOf(parentOf(firstMissing)));
  } catch (error) {
    // This process has made nothing in a directory that it may not open. (Deno's
    // own refusal has a name and no code.)
    const isRefused = systemCode(error) === "EACCES" ||
      (error instanceof Error && error.name === "NotCapable");
    if (!isRefused) throw error;
  }
}

/** The directories on the way to `path` that are missing, outermost first. */
async function findMissing(
  fileSystem: FileSystem,
  path: string,
): Promise<string[]> {
  try {
    await fileSystem.stat(path);
    return [];
  } catch (error) {
    const parent = parentOf(path);
    if (systemCode(error) !== "ENOENT" || parent === path) throw error;
    return [...await findMissing(fileSystem, parent), path];
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
