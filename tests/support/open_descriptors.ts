/**
 * A look at the files that this process has open, to show that none is leaked.
 *
 * @module
 */

import { existsSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";

const DESCRIPTORS = "/proc/self/fd";

function target(descriptor: string): string | undefined {
  try {
    return readlinkSync(join(DESCRIPTORS, descriptor));
  } catch {
    return undefined; // closed since the list was read
  }
}

/**
 * The open files at or below `directory`, or `undefined` where the system does
 * not tell. A file that has been removed is marked with ` (deleted)`.
 */
export function openDescriptors(directory: string): string[] | undefined {
  if (!existsSync(DESCRIPTORS)) return undefined;
  const root = realpathSync(directory);
  return readdirSync(DESCRIPTORS)
    .map(target)
    .filter((path) => path !== undefined)
    .filter((path) => path === root || path.startsWith(root + sep));
}
