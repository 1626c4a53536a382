/**
 * The sync of an open file or directory.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { systemCode } from "../../errors.ts";
import { node } from "../../runtime/node.ts";

/**
 * Syncs a file or directory. Yarn's default, Plug'n'Play, replaces Node's
 * handles by its own, whose `sync()` is not implemented; then the descriptor is
 * synced.
 */
export async function syncHandle(
  handle: Pick<FileHandle, "fd" | "sync">,
): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (systemCode(error) !== undefined) throw error;
    await syncDescriptor(handle.fd);
  }
}

function syncDescriptor(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    node.fs.fsync(fd, (error) => error ? reject(error) : resolve());
  });
}
