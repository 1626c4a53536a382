/**
 * Gives the files that root makes in another user's directory to that user. A
 * service must be able to read the snapshots that an operator saves as root:
 * Go's Raft starts empty when it can't read a snapshot.
 *
 * @module
 */

import { StoreAccessError } from "../../errors.ts";
import { describe } from "../../text.ts";
import { isPermitted } from "../../runtime/deno.ts";
import { node } from "../../runtime/node.ts";
import type { Descriptor } from "./descriptor.ts";

/** The user that new files belong to; `undefined` without Deno's permission. */
function effectiveUser(): number | undefined {
  return isPermitted({ name: "sys", kind: "uid" })
    ? node.process.geteuid?.()
    : undefined;
}

/** Whether new files may belong to root. */
function mayBeRoot(): boolean {
  // Windows has neither root nor owners in numbers. (Not run there.)
  return node.process.platform !== "win32" && (effectiveUser() ?? 0) === 0;
}

/** A user, and the group of a directory. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The owner for a file that this process makes in a directory; `undefined` when
 * the file stays the writer's, because the writer is not root or the directory
 * is root's. May be called while the file is being made.
 */
export async function newOwner(
  directory: string,
): Promise<Owner | undefined> {
  if (!mayBeRoot()) return undefined;
  const stats = await node.fs.promises.stat(directory);
  return stats.uid === 0 ? undefined : stats;
}

/**
 * Gives the file that was just made at `path` to its new owner. Works on the
 * open handle, so that another program gains nothing by putting another file in
 * its place.
 *
 * @throws {StoreAccessError} when root may not change the owner: without
 * `CAP_CHOWN`, or on a network file system that does not trust root.
 */
export async function giveTo(
  { uid, gid }: Owner,
  handle: Descriptor,
  path: string,
): Promise<void> {
  const made = await handle.stat();
  // Where Deno may not read the user ID, the new file shows it.
  const writer = effectiveUser() ?? made.uid;
  if (writer !== 0 || made.uid === uid) return;
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    throw cannotGive(path, uid, error);
  }
}

function cannotGive(
  path: string,
  uid: number,
  cause: unknown,
): StoreAccessError {
  const directory = node.path.posix.dirname(path);
  return new StoreAccessError(
    `Cannot write to ${directory} as root: the directory belongs to user ` +
      `${uid}, who can't read the files of root, and giving ${path} to ` +
      `that user failed (${describe(cause)}); ` +
      `run the command as that user: sudo -u '#${uid}' ...`,
    { cause },
  );
}
