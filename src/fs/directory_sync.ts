/**
 * Recognizes platforms that can't sync a directory.
 *
 * @module
 */

import { systemCode } from "../errors.ts";

/** The codes by which platforms say that they can't sync a directory. */
const NO_DIRECTORY_SYNC: ReadonlySet<string> = new Set([
  "EINVAL",
  "ENOTSUP",
  "EPERM",
  "EISDIR",
]);

/**
 * Whether a directory could not be synced because the platform has no such
 * operation (Windows, some network file systems), so that the store must accept
 * the failure. The code for Windows was read in the documentation, not run
 * there.
 */
export function isNoDirectorySync(error: unknown): boolean {
  return NO_DIRECTORY_SYNC.has(systemCode(error) ?? "");
}
