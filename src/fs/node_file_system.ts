/**
 * The real file system. Deno, Bun and Node all implement `node:fs/promises`, so
 * one adapter serves the three; where they differ, it makes them alike.
 *
 * Errors are passed on as they come. All have the system's `code`, but for
 * Deno's `NotCapable`, which says that a permission flag is missing.
 *
 * @module
 */

import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { resolve, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { deno } from "./deno_runtime.ts";
import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  OpenMode,
} from "./file_system.ts";
import { kindOf, NodeFileHandle } from "./node_file_handle.ts";
import { lockFile } from "./node_lock.ts";
import { systemError } from "./system_error.ts";

// Windows has none of these three: there they are undefined.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
// Opening a pipe would wait for its other end; files don't heed the flag.
const NO_WAIT = constants.O_NONBLOCK ?? 0;
const DIRECTORY = constants.O_DIRECTORY ?? 0;

/** Deno's unlink removes an empty directory too; macOS's has another error. */
const UNLINK_SPARES_DIRECTORIES = deno === undefined &&
  process.platform === "linux";

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY | NO_FOLLOW | NO_WAIT,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
};

/** Rejects unless the handle is of a regular file. */
async function checkRegular(handle: FileHandle, path: string): Promise<void> {
  const { kind } = await handle.stat();
  if (kind === "file") return;
  throw systemError(kind === "directory" ? "EISDIR" : "EINVAL", "open", path);
}

/** The files of this machine, on Deno, Bun and Node. */
class NodeFileSystem implements FileSystem {
  resolve(path: string | URL): string {
    const absolute = resolve(path instanceof URL ? fileURLToPath(path) : path);
    return sep === "/" ? absolute : absolute.replaceAll(sep, "/");
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    await fs.mkdir(path, { mode });
  }

  async open(path: string, how: OpenMode, mode = 0o600): Promise<FileHandle> {
    const handle = new NodeFileHandle(await fs.open(path, FLAGS[how], mode));
    if (how === "create") return handle;
    try {
      await checkRegular(handle, path);
      return handle;
    } catch (error) {
      // The first error is the one that matters.
      await handle.close().catch(() => {});
      throw error;
    }
  }

  async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await fs.readdir(path, { withFileTypes: true });
    return await Promise.all(entries.map(async (entry) => {
      const { name } = entry;
      const kind = kindOf(entry);
      if (kind !== "other") return { name, kind };
      // Some disks list names only, and not every runtime asks further. A name
      // that is gone by now stays what it was.
      const found = await this.stat(`${path}/${name}`).catch(() => ({ kind }));
      return { name, kind: found.kind };
    }));
  }

  async stat(path: string): Promise<FileStat> {
    const stats = await fs.lstat(path);
    return { kind: kindOf(stats), size: stats.size };
  }

  async rename(from: string, to: string): Promise<void> {
    await fs.rename(from, to);
  }

  async removeFile(path: string): Promise<void> {
    if (
      !UNLINK_SPARES_DIRECTORIES &&
      (await this.stat(path)).kind === "directory"
    ) {
      throw systemError("EISDIR", "unlink", path);
    }
    await fs.unlink(path);
  }

  async removeDirectory(path: string): Promise<void> {
    await fs.rmdir(path);
  }

  async syncDirectory(path: string): Promise<void> {
    const handle = await fs.open(path, constants.O_RDONLY | DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  lock(path: string): Promise<FileLock> {
    return lockFile(this, path);
  }
}

/** The file system of this machine: one for all stores. */
export const nodeFileSystem: FileSystem = new NodeFileSystem();
