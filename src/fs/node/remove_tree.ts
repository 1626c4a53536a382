/**
 * Removes a tree that another process may be changing, of any depth, with any
 * number of files and any names.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { deno } from "../../runtime/deno.ts";
import { node } from "../../runtime/node.ts";
import { canHoldDirectories, DESCRIPTORS } from "./held_directory.ts";
import { TreeWalk } from "./tree_walk.ts";
import { showPath } from "../shown_path.ts";

/**
 * Whether the runtime's own `rm` works below directories that it has open, and
 * by bytes: Deno's and Bun's are written in Rust and Zig and do. Node's goes by
 * path, and starts on all files of a directory at once.
 */
function isRmSafe(): boolean {
  return deno !== undefined || node.process.versions["bun"] !== undefined;
}

/** As {@linkcode FileSystem.removeTree}. */
export async function removeNodeTree(path: string): Promise<void> {
  try {
    if (isRmSafe()) return await node.fs.promises.rm(path, { recursive: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    // rm() stops at the first failure, and holds a descriptor for each level.
    // The walk continues and holds two, where it need not go by path.
    if (!canHoldDirectories()) throw error;
  }
  try {
    await new TreeWalk(path).remove();
  } catch (error) {
    // The number may be that of any directory of the tree.
    throw showPath(error, `${DESCRIPTORS}/\\d+`, `${path}/...`);
  }
}
