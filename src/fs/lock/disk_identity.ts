/**
 * Which disk a directory is on, to decide whether another kernel can have it
 * mounted, too.
 *
 * @module
 */

import { node } from "../../runtime/node.ts";
import { isOutOfResources } from "../../system_code.ts";

/** A mounted disk, as this kernel numbers it. */
export interface DiskIdentity {
  /** The number that Linux gives to a kind of file system; `null`: unknown. */
  readonly diskType: number | null;
  /** The number of the mounted file system (`st_dev`); `null`: unknown. */
  readonly device: number | null;
}

/**
 * File systems that one kernel at a time can mount, from `magic.h` and
 * `statfs(2)`: ext2 to ext4, XFS, Btrfs, tmpfs, ramfs, overlayfs, F2FS, ZFS,
 * bcachefs. Not NFS, CIFS, 9p, virtiofs, FUSE, Ceph, Lustre: others may be at
 * work there under another kernel, or here under another mount.
 */
const LOCAL_TYPES = new Set([
  0xef53,
  0x58465342,
  0x9123683e,
  0x01021994,
  0x858458f6,
  0x794c7630,
  0xf2f52010,
  0x2fc12fc1,
  0xca451a4e,
]);

async function typeOf(path: string): Promise<number | null> {
  if (node.process.platform !== "linux") return null;
  try {
    // Signed where a long has 32 bits.
    return (await node.fs.promises.statfs(path)).type >>> 0;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null; // Deno without permission
  }
}

async function deviceOf(path: string): Promise<number | null> {
  try {
    return (await node.fs.promises.stat(path)).dev;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}

/** The disk that a directory is on. */
export async function diskOf(directory: string): Promise<DiskIdentity> {
  const [diskType, device] = await Promise.all([
    typeOf(directory),
    deviceOf(directory),
  ]);
  return { diskType, device };
}

/**
 * Whether both are the same kind of disk, and a kind that one kernel at a time
 * mounts.
 */
export function isSameLocalKind(one: DiskIdentity, two: DiskIdentity): boolean {
  return one.diskType !== null && one.diskType === two.diskType &&
    LOCAL_TYPES.has(one.diskType);
}

/**
 * Whether the disk that a file is on is of a kind that one kernel at a time
 * mounts.
 */
export async function isOnLocalDisk(path: string): Promise<boolean> {
  const disk = await diskOf(path);
  return isSameLocalKind(disk, disk);
}

/**
 * Whether a name leads to the same file on both, provided that both are mounted
 * by one kernel. On a network file system that is mounted twice, a socket that
 * is bound in one mount is refused in the other.
 */
export function isSameMount(one: DiskIdentity, two: DiskIdentity): boolean {
  return isSameLocalKind(one, two) ||
    one.device !== null && one.diskType === two.diskType &&
      one.device === two.device;
}
