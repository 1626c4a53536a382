/**
 * A file system in memory that can lose power.
 *
 * @module
 */

import { LockHeldError } from "../lock_held_error.ts";
import type { CrashChoice } from "./crash_choice.ts";
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
import type { MemoryFile } from "./file.ts";
import { MemoryFileHandle } from "./file_handle.ts";
import { pathNames } from "./path.ts";
import { statOf } from "./stat.ts";
import { MemoryTree } from "./tree.ts";
import { removeByName } from "../node/remove_by_name.ts";
import { systemError } from "../system_error.ts";

/** The holder that locks name, because there are no processes here. */
const OWNER = { pid: 0, host: null, runtime: "memory", since: 0 } as const;

/**
 * Files in memory, for tests. Only synced bytes and names are durable, and
 * {@linkcode MemoryFileSystem.crash} gives the state after a power cut.
 *
 * The rules of a power cut, by which a disk may be found in any state that the
 * contract of {@linkcode FileSystem} allows:
 *
 * - *A file's data* is kept in blocks of 4 KiB. Each block is found as it was
 *   at the file's last `sync()`, or as it was after any one of the writes to it
 *   since then; independently of the other blocks, so that a write may be torn.
 * - *A file's length* is found as it was at the last `sync()`, or at any later
 *   moment, independently of its data. Where the length was kept and a block
 *   was not, there are zeros. The blocks of one long write lengthen the file
 *   one by one.
 * - *A name* that was made, removed or changed is on the disk after
 *   `syncDirectory()` on the directory that holds it. Until then, each such
 *   change is kept or lost independently: a later one may be kept although an
 *   earlier one is lost. `sync()` of a file saves its data and length, not its
 *   name; `syncDirectory()` saves the names in one directory, not those in the
 *   directories below, and no data.
 * - *A rename* makes the new name and removes the old one. In the `"atomic"`
 *   model both are kept or both are lost; when the two names are in different
 *   directories, syncing either saves both. In the `"split"` model each half is
 *   kept or lost independently: the file may be found under both names, or
 *   under neither. A file that is found under two names is found as two copies.
 * - *A file whose last name is gone* is gone, whether or not it was synced.
 * - *Locks* are forgotten. Their files are ordinary files, so one may be found,
 *   but it locks nothing.
 *
 * Permissions, owners, times and symbolic links are not modelled: everything
 * was last changed in 1970. A path is absolute and may
 * not lead through a file. Every operation takes effect at once, when it is
 * called, so that the order of calls alone decides what happens.
 *
 * @example
 * ```ts
 * import { MemoryFileSystem } from "@raft/snapshots/testing";
 * import assert from "node:assert/strict";
 *
 * const files = new MemoryFileSystem();
 * const file = await files.open("/state", "create");
 * await file.write(new Uint8Array([1, 2, 3]), 0);
 * await file.sync(); // saves the data, not the name
 * const found = files.crash({ seed: 1, keptPercent: 0, renames: "atomic" });
 * assert.deepEqual(found.tree(), []);
 * await assert.rejects(file.sync(), { code: "EIO" });
 * ```
 */
export class MemoryFileSystem implements FileSystem {
  readonly #locks = new Set<string>();
  #tree = new MemoryTree();
  #powered = true;
  #operations = 0;
  #openHandles = 0;

  /** How many operations there were so far, those on handles included. */
  get operations(): number {
    return this.#operations;
  }

  /** How many files are open. */
  get openHandles(): number {
    return this.#openHandles;
  }

  /**
   * Cuts the power: from now on every operation, also of open handles, rejects
   * with `EIO`. May be called again with another choice.
   *
   * @returns The files as they are found when the power is back, all synced.
   * @throws {RangeError} when the percentage is not within 0 to 100.
   */
  crash(choice: CrashChoice): MemoryFileSystem {
    const image = this.crashImage(choice);
    this.#powered = false;
    return image;
  }

  /**
   * The files that {@linkcode MemoryFileSystem.crash} would return at this
   * moment. This file system stays usable.
   *
   * @throws {RangeError} when the percentage is not within 0 to 100.
   */
  crashImage(choice: CrashChoice): MemoryFileSystem {
    const image = new MemoryFileSystem();
    image.#tree = this.#tree.crashed(choice);
    return image;
  }

  /** The paths of all files and, with a `/` at the end, directories; sorted. */
  tree(): string[] {
    return this.#tree.paths();
  }

  /**
   * The present content of a file.
   *
   * @throws {Error} with the system's `code` when there is no such file.
   */
  readFile(path: string): Uint8Array {
    return this.#tree.file(path).content();
  }

  /**
   * Writes a whole file, new or existing, and syncs it with all directories of
   * its path, which are made when they are missing.
   *
   * @throws {Error} with the system's `code` when the path can't be a file's.
   */
  writeFile(path: string, bytes: Uint8Array): void {
    this.#tree.place(path, bytes.slice());
  }

  /**
   * Makes the present content the lower layer of an overlay: from now on, and
   * after power cuts too, a directory that is there now can't be renamed
   * (`EXDEV`), as on Linux's overlayfs. Every other operation still works.
   */
  makeLowerLayer(): void {
    this.#tree.makeLowerLayer();
  }

  /** See {@linkcode FileSystem.resolve}; relative paths begin at the root. */
  resolve(path: string | URL): string {
    return "/" + pathNames(path).join("/");
  }

  /** See {@linkcode FileSystem.makeDirectory}; the mode is ignored. */
  makeDirectory(path: string, _mode?: number): Promise<void> {
    return this.#perform("mkdir", path, () => this.#tree.makeDirectory(path));
  }

  /** See {@linkcode FileSystem.open}; the mode is ignored. */
  open(path: string, how: OpenMode, _mode?: number): Promise<FileHandle> {
    return this.#perform("open", path, () => {
      const writable = how === "create";
      const file = writable ? this.#tree.newFile(path) : this.#tree.file(path);
      this.#openHandles++;
      return new MemoryFileHandle(file, { path, writable }, {
        perform: (syscall, of, body) => this.#perform(syscall, of, body),
        closed: () => void this.#openHandles--,
      });
    });
  }

  /** See {@linkcode FileSystem.readDirectory}. */
  readDirectory(path: string): Promise<DirectoryEntry[]> {
    return this.#perform("scandir", path, () => {
      const { entries } = this.#tree.directory(path, "scandir");
      return Array.from(entries, ([name, { kind }]) => ({ name, kind }));
    });
  }

  /** See {@linkcode FileSystem.stat}. */
  stat(path: string): Promise<FileStat> {
    return this.#perform(
      "lstat",
      path,
      () => statOf(this.#tree.node(path, "lstat")),
    );
  }

  /**
   * See {@linkcode FileSystem.rename}. As in POSIX, an empty directory at the
   * new name is replaced silently.
   */
  rename(from: string, to: string): Promise<void> {
    return this.#perform("rename", from, () => this.#tree.rename(from, to));
  }

  /** See {@linkcode FileSystem.removeFile}. */
  removeFile(path: string): Promise<void> {
    return this.#perform("unlink", path, () => this.#tree.removeFile(path));
  }

  /** See {@linkcode FileSystem.removeDirectory}. */
  removeDirectory(path: string): Promise<void> {
    return this.#perform("rmdir", path, () => this.#tree.removeDirectory(path));
  }

  /** See {@linkcode FileSystem.holdDirectory}; the path is the one given. */
  holdDirectory(path: string): Promise<HeldDirectory> {
    return this.#perform("open", path, () => {
      const directory = this.#tree.directory(path, "open");
      return {
        path,
        stat: () => this.#perform("fstat", path, () => statOf(directory)),
        sync: () => this.syncDirectory(path),
        close: () => Promise.resolve(),
      };
    });
  }

  /** See {@linkcode FileSystem.removeTree}; each name is an operation. */
  removeTree(path: string): Promise<void> {
    return removeByName(this, path);
  }

  /** See {@linkcode FileSystem.syncDirectory}. */
  syncDirectory(path: string): Promise<void> {
    return this.#perform("fsync", path, () => this.#tree.syncDirectory(path));
  }

  /** See {@linkcode FileSystem.lock}; only this object knows of the lock. */
  lock(path: string, _options?: LockOptions): Promise<FileLock> {
    return this.#perform("lock", path, () => {
      const key = this.resolve(path);
      if (this.#locks.has(key)) throw new LockHeldError(path, { owner: OWNER });
      const file = this.#tree.fileOrNew(path);
      this.#locks.add(key);
      return { release: this.#releaseOnce(key, file) };
    });
  }

  /** See {@linkcode FileSystem.readLock}. */
  readLock(path: string): Promise<LockState | undefined> {
    return this.#perform(
      "readLock",
      path,
      () =>
        this.#locks.has(this.resolve(path))
          ? { owner: OWNER, holder: "here", hint: undefined }
          : undefined,
    );
  }

  #releaseOnce(key: string, file: MemoryFile): () => Promise<void> {
    let held = true;
    return () => {
      if (!held || !this.#powered) return Promise.resolve();
      held = false;
      return this.#perform("unlock", key, () => {
        this.#locks.delete(key);
        if (this.#tree.has(key, file)) this.#tree.removeFile(key);
      });
    };
  }

  /** Counts an operation and runs it, unless the power is off. */
  #perform<T>(syscall: string, path: string, body: () => T): Promise<T> {
    this.#operations++;
    return new Promise((resolve) => {
      if (!this.#powered) throw systemError("EIO", syscall, path);
      resolve(body());
    });
  }
}
