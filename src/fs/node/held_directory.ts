/**
 * Directories that are held open. On Linux `/proc/self/fd/N` leads to the
 * directory that descriptor N has open, even after its name was given to
 * another. So a link that is put in the directory's place can't divert a path
 * below it.
 *
 * @module
 */

import { deno, isEverythingPermitted } from "../../runtime/deno.ts";
import { node } from "../../runtime/node.ts";
import type { HeldDirectory } from "../file_system.ts";
import { systemError } from "../system_error.ts";
import { openDescriptor } from "./descriptor.ts";
import { toFileStat } from "./file_handle.ts";
import { directoryFlags, linkedDirectoryFlags } from "./open_flags.ts";

/** Where the descriptors of this process are, as paths. */
export const DESCRIPTORS = "/proc/self/fd";

let canHold: boolean | undefined;

/**
 * Whether directories can be held here. Asks Deno for the permission, and never
 * prompts the user.
 */
export function canHoldDirectories(): boolean {
  canHold ??= node.process.platform === "linux" &&
    isEverythingPermitted() &&
    isBelowProcAllowed();
  return canHold;
}

/**
 * Asked last, because Deno denies it even where all permissions are granted one
 * by one.
 */
function isBelowProcAllowed(): boolean {
  try {
    if (deno !== undefined) deno.lstatSync(DESCRIPTORS);
    return node.fs.existsSync(DESCRIPTORS);
  } catch {
    return false;
  }
}

/** Opens a directory; not the one that a link leads to. */
export async function openDirectory(
  path: string | Uint8Array,
): Promise<HeldDirectory> {
  const directory = await openDescriptor(path, directoryFlags());
  return {
    path: `${DESCRIPTORS}/${directory.fd}`,
    stat: async () => toFileStat(await directory.stat()),
    sync: () => directory.sync(),
    close: () => directory.close(),
  };
}

/** As {@linkcode FileSystem.syncDirectory}. */
export async function syncNodeDirectory(path: string): Promise<void> {
  const directory = await openDescriptor(path, linkedDirectoryFlags());
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** As {@linkcode FileSystem.holdDirectory}. */
export async function holdNodeDirectory(path: string): Promise<HeldDirectory> {
  if (canHoldDirectories()) return await openDirectory(path);
  if (!(await node.fs.promises.lstat(path)).isDirectory()) {
    throw systemError("ENOTDIR", "open", path);
  }
  return {
    path,
    stat: async () => toFileStat(await node.fs.promises.lstat(path)),
    sync: () => syncNodeDirectory(path),
    close: () => Promise.resolve(),
  };
}
