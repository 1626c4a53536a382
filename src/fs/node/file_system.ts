/**
 * The real file system. Deno, Bun and Node all implement `node:fs`, so
 * one adapter serves the three; where they differ, the adapter hides the
 * difference.
 *
 * Errors are passed on unchanged. `systemCode()` finds the system's code of
 * each, except for Deno's `NotCapable`, which says that a permission flag is
 * missing.
 *
 * @module
 */

import type { Dirent } from "node:fs";
import { deno } from "../../runtime/deno.ts";
import { node } from "../../runtime/node.ts";
import { fileUrlOf } from "../file_url.ts";
import { giveTo, newOwner, type Owner } from "./directory_owner.ts";
import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  HeldDirectory,
  LockOptions,
  LockState,
  OpenMode,
} from "../file_system.ts";
import { openDescriptor } from "./descriptor.ts";
import { kindOf, NodeFileHandle, toFileStat } from "./file_handle.ts";
import { holdNodeDirectory, syncNodeDirectory } from "./held_directory.ts";
import { directoryFlags, fileFlags } from "./open_flags.ts";
import { readLock } from "../lock/chain.ts";
import { lockFile } from "../lock/lock.ts";
import { removeNodeTree } from "./remove_tree.ts";
import { ThreadedFileHandle } from "./threaded_file_handle.ts";
import { systemError } from "../system_error.ts";

/**
 * Whether `unlink` rejects a directory with `EISDIR`. Deno's removes an empty
 * directory too, and macOS's has another error code (not run there).
 */
function unlinkSparesDirectories(): boolean {
  return deno === undefined && node.process.platform === "linux";
}

/** Rejects unless the handle is of a regular file. */
async function checkRegular(
  handle: NodeFileHandle,
  path: string,
): Promise<void> {
  const { kind } = await handle.look();
  if (kind === "file") return;
  throw systemError(kind === "directory" ? "EISDIR" : "EINVAL", "open", path);
}

async function giveNewDirectory(owner: Owner, path: string): Promise<void> {
  const made = await openDescriptor(path, directoryFlags());
  try {
    await giveTo(owner, made, path);
  } finally {
    await made.close();
  }
}

/**
 * Some disks list names only, and not every runtime then asks for the kind; Deno
 * does not tell a socket from an unknown kind.
 */
function isOfUnknownKind(entry: Dirent): boolean {
  return kindOf(entry) === "other" && !entry.isSocket() && !entry.isFIFO() &&
    !entry.isBlockDevice() && !entry.isCharacterDevice();
}

/** The files of this machine, on Deno, Bun and Node. */
class NodeFileSystem implements FileSystem {
  /** Whether files that root makes are given to the owner of the directory. */
  readonly #sharesWithOwner: boolean;
  /** Pending look-ups of owners, by directory. */
  readonly #owners = new Map<string, Promise<Owner | undefined>>();

  constructor(sharesWithOwner: boolean) {
    this.#sharesWithOwner = sharesWithOwner;
  }

  resolve(path: string | URL): string {
    const { resolve, sep } = node.path;
    const url = fileUrlOf(path);
    const absolute = resolve(
      url === undefined ? String(path) : node.url.fileURLToPath(url),
    );
    return sep === "/" ? absolute : absolute.replaceAll(sep, "/");
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    const asking = this.#newOwner(path);
    await node.fs.promises.mkdir(path, { mode });
    try {
      const owner = await asking;
      if (owner !== undefined) await giveNewDirectory(owner, path);
    } catch (error) {
      // The caller needs the first error, not one of the clean-up.
      await node.fs.promises.rmdir(path).catch(() => {});
      throw error;
    }
  }

  async open(path: string, how: OpenMode, mode = 0o600): Promise<FileHandle> {
    const asking = how === "create" ? this.#newOwner(path) : undefined;
    const opened = await openDescriptor(path, fileFlags(how), mode);
    const handle = how === "create" && deno !== undefined
      ? new ThreadedFileHandle(opened)
      : new NodeFileHandle(opened);
    try {
      if (how === "read") await checkRegular(handle, path);
      const owner = await asking;
      if (owner !== undefined) await giveTo(owner, opened, path);
      return handle;
    } catch (error) {
      // The caller needs the first error, not one of the clean-up.
      await handle.close().catch(() => {});
      if (how === "create") await node.fs.promises.unlink(path).catch(() => {});
      throw error;
    }
  }

  async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await node.fs.promises.readdir(path, {
      withFileTypes: true,
    });
    const listed = entries.map((entry): DirectoryEntry => (
      { name: entry.name, kind: kindOf(entry) }
    ));
    if (!entries.some(isOfUnknownKind)) return listed;
    return await Promise.all(listed.map(async ({ name, kind }, i) => {
      if (!isOfUnknownKind(entries[i] as Dirent)) return { name, kind };
      // A name that was removed meanwhile keeps the kind that was listed.
      const found = await this.stat(`${path}/${name}`).catch(() => ({ kind }));
      return { name, kind: found.kind };
    }));
  }

  /** A list asks thousands of times: Node's promises take half as long again. */
  stat(path: string): Promise<FileStat> {
    return new Promise((resolve, reject) => {
      node.fs.lstat(path, (error, stats) => {
        if (error === null) resolve(toFileStat(stats));
        else reject(error);
      });
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await node.fs.promises.rename(from, to);
  }

  async removeFile(path: string): Promise<void> {
    if (
      !unlinkSparesDirectories() &&
      (await this.stat(path)).kind === "directory"
    ) {
      throw systemError("EISDIR", "unlink", path);
    }
    await node.fs.promises.unlink(path);
  }

  async removeDirectory(path: string): Promise<void> {
    await node.fs.promises.rmdir(path);
  }

  holdDirectory(path: string): Promise<HeldDirectory> {
    return holdNodeDirectory(path);
  }

  removeTree(path: string): Promise<void> {
    return removeNodeTree(path);
  }

  syncDirectory(path: string): Promise<void> {
    return syncNodeDirectory(path);
  }

  lock(path: string, options?: LockOptions): Promise<FileLock> {
    return lockFile(this, path, options);
  }

  readLock(
    path: string,
    options?: LockOptions,
  ): Promise<LockState | undefined> {
    return readLock(this, path, options);
  }

  /**
   * Runs beside the call that makes the file, which saves a wait, and once for
   * files that are made side by side in one directory.
   */
  #newOwner(path: string): Promise<Owner | undefined> {
    if (!this.#sharesWithOwner) return Promise.resolve(undefined);
    const directory = node.path.posix.dirname(path);
    const asked = this.#owners.get(directory);
    if (asked !== undefined) return asked;
    const asking = newOwner(directory)
      .finally(() => this.#owners.delete(directory));
    this.#owners.set(directory, asking);
    // If making the file fails first, no code waits for this promise any more.
    asking.catch(() => {});
    return asking;
  }
}

/** The file system of this machine: one for all stores. */
export const nodeFileSystem: FileSystem = new NodeFileSystem(true);

/**
 * The same for files that are not a store's, such as an archive: a file that
 * root makes in the directory of another user belongs to root, as with any other
 * tool. With {@linkcode nodeFileSystem} it belongs to that user.
 */
export const plainNodeFileSystem: FileSystem = new NodeFileSystem(false);
