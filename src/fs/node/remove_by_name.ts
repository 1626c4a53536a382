/**
 * Removes a tree by the other operations of a file system, name by name.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import type { FileSystem } from "../file_system.ts";
import { sideBySide } from "../side_by_side.ts";

/** How many names of a directory are removed at a time. */
export const REMOVALS_MAX = 16;

/** The operations that it uses. */
type Operations = Pick<
  FileSystem,
  "readDirectory" | "removeDirectory" | "removeFile" | "stat"
>;

/**
 * As {@linkcode FileSystem.removeTree}, but only safe while no other process
 * swaps names.
 */
export async function removeByName(
  files: Operations,
  path: string,
): Promise<void> {
  try {
    // The path may be a link, whose target must stay.
    const { kind } = await files.stat(path);
    if (kind === "directory") await removeDirectory(files, path);
    else await files.removeFile(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

async function removeDirectory(files: Operations, path: string): Promise<void> {
  const entries = await files.readDirectory(path);
  await sideBySide(entries, REMOVALS_MAX, async ({ name, kind }) => {
    const inner = `${path}/${name}`;
    try {
      if (kind === "directory") await removeDirectory(files, inner);
      else await files.removeFile(inner);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
  });
  await files.removeDirectory(path);
}
