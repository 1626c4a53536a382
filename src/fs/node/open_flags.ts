/**
 * The flags that files and directories are opened with. Windows has neither
 * `O_DIRECTORY`, `O_NOFOLLOW` nor `O_NONBLOCK`: there they are undefined (not
 * run there).
 *
 * @module
 */

import { node } from "../../runtime/node.ts";
import type { OpenMode } from "../file_system.ts";

/** Opens a file for reading, without following a link, or makes a new one. */
export function fileFlags(how: OpenMode): number {
  const { constants } = node.fs;
  if (how === "create") {
    return constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  }
  // Opening a pipe would wait for its other end; files ignore O_NONBLOCK.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  return O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
}

/** Opens a directory, never the one that a link leads to. */
export function directoryFlags(): number {
  const { O_NOFOLLOW = 0 } = node.fs.constants;
  return linkedDirectoryFlags() | O_NOFOLLOW;
}

/** Opens a directory, also by a link. */
export function linkedDirectoryFlags(): number {
  const { O_RDONLY, O_DIRECTORY = 0 } = node.fs.constants;
  return O_RDONLY | O_DIRECTORY;
}
