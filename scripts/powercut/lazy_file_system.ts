/**
 * The real file system, with one kind of sync left out.
 *
 * @module
 */

import type { FileHandle, FileSystem } from "@raft/snapshots";
import { nodeFileSystem } from "../../src/fs/node/file_system.ts";

/** Which syncs are done. */
export type Syncs = "all" | "no directory" | "no file";

function withoutSync(handle: FileHandle): FileHandle {
  return {
    stat: () => handle.stat(),
    read: (buffer, position) => handle.read(buffer, position),
    write: (bytes, position) => handle.write(bytes, position),
    sync: () => Promise.resolve(),
    close: () => handle.close(),
  };
}

/** A file system that reports some syncs as done without doing them. */
export function fileSystemWith(syncs: Syncs): FileSystem {
  const real = nodeFileSystem;
  return {
    resolve: (path) => real.resolve(path),
    makeDirectory: (path, mode) => real.makeDirectory(path, mode),
    open: async (path, how, mode) => {
      const handle = await real.open(path, how, mode);
      return syncs === "no file" ? withoutSync(handle) : handle;
    },
    readDirectory: (path) => real.readDirectory(path),
    stat: (path) => real.stat(path),
    rename: (from, to) => real.rename(from, to),
    removeFile: (path) => real.removeFile(path),
    removeDirectory: (path) => real.removeDirectory(path),
    holdDirectory: async (path) => {
      const held = await real.holdDirectory(path);
      return syncs === "no directory"
        ? { ...held, sync: () => Promise.resolve() }
        : held;
    },
    removeTree: (path) => real.removeTree(path),
    syncDirectory: (path) =>
      syncs === "no directory" ? Promise.resolve() : real.syncDirectory(path),
    // The lock always syncs: a store refuses a torn lock record, and then the
    // test would see no other damage.
    lock: (path) => real.lock(path),
    readLock: (path) => real.readLock(path),
  };
}
