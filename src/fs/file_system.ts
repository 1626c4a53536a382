/**
 * The seam between the store and the system: every file operation of the
 * library goes through a {@linkcode FileSystem}. Each method's comment is its
 * durability contract, on which the safety of the store rests.
 *
 * Errors are the system's: an `Error` whose `code` is a POSIX name (`ENOENT`,
 * `EEXIST`, `ENOSPC`, ...). Paths are absolute and use `/`.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";

export type { LockOwner };

/** The kind of a directory entry. Links are never followed. */
export type FileKind = "file" | "directory" | "symlink" | "other";

/** One entry of a directory. */
export interface DirectoryEntry {
  /** The bare name, without a path. */
  readonly name: string;
  /** The kind of the entry itself. */
  readonly kind: FileKind;
}

/** The state of a file, which is known without reading it. */
export interface FileStat {
  /** The kind of the file. */
  readonly kind: FileKind;
  /** Its length in bytes. */
  readonly size: number;
  /**
   * When a file's bytes, or the names in a directory, were last changed, in
   * milliseconds since 1970.
   */
  readonly modifiedMs: number;
  /**
   * When its bytes, names, name, owner, permissions or times were last changed,
   * in milliseconds since 1970; unlike `modifiedMs` no program can set it.
   * Absent where the platform does not provide it.
   */
  readonly changedMs?: number | undefined;
  /**
   * Which file it is, whatever its name: equal for one file on this machine,
   * and different for any other that exists at the same time. Absent where the
   * platform does not provide it.
   */
  readonly identity?: string | undefined;
}

/**
 * How to open a file:
 *
 * - `"read"`: an existing regular file, for reading;
 * - `"create"`: a new file, for writing; `EEXIST` when the name is taken, also
 *   by a link.
 *
 * No mode follows a symbolic link in the last part of the path (`ELOOP`), and
 * none waits for the other end of a pipe.
 */
export type OpenMode = "read" | "create";

/** An open file. The caller that opened it must close it. */
export interface FileHandle {
  /** The state of the open file, whatever its name refers to by now. */
  stat(): Promise<FileStat>;
  /**
   * Reads up to `buffer.length` bytes at `position` into `buffer`; resolves to
   * the number of bytes read, 0 at the end of the file.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * Writes `bytes` at `position`; resolves to the number of bytes written,
   * which may be fewer than given (the disk is nearly full). The caller must
   * not change `bytes` before it resolves. Durable only after `sync()`.
   */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /**
   * When it resolves, the file's bytes and length survive a power cut. Its name
   * does not: that needs `syncDirectory()` on the directory that holds it. When
   * it rejects, it stays unknown which earlier writes are durable; a later
   * `sync()` that resolves says nothing about it.
   */
  sync(): Promise<void>;
  /** Releases the handle, also when it rejects. Makes nothing durable. */
  close(): Promise<void>;
}

/** A lock that is held. */
export interface FileLock {
  /** The holder that left the lock behind in a crash, if it was taken over. */
  readonly takenOverFrom?: LockOwner | undefined;
  /**
   * Gives the lock up. Does nothing when the lock has been lost or released
   * before. When it rejects, the lock file could not be removed; the lock is
   * given up in any case: the next `lock()` of this process takes it.
   */
  release(): Promise<void>;
}

/** The state of a lock, read without taking it. */
export interface LockState {
  /** The holder; `undefined` when the lock file does not name one. */
  readonly owner: LockOwner | undefined;
  /**
   * Whether the holder is in this process, alive, dead (the next `lock()` takes
   * the lock over), or unknown, so that the lock counts as held.
   */
  readonly holder: "here" | "alive" | "dead" | "unknown";
  /** Advice for the operator when the holder is `"unknown"`. */
  readonly hint: string | undefined;
}

/** A directory that is held: a swap of its name does not lead elsewhere. */
export interface HeldDirectory {
  /**
   * Stands for the directory itself in every operation, also after its name has
   * been given to something else; valid until `close()`. On a platform without
   * such paths, the path that was given.
   */
  readonly path: string;
  /** The state of the directory, whatever its name refers to by now. */
  stat(): Promise<FileStat>;
  /** As {@linkcode FileSystem.syncDirectory}, on the directory itself. */
  sync(): Promise<void>;
  /** Releases the directory. */
  close(): Promise<void>;
}

/** How to take a lock. */
export interface LockOptions {
  /** Permission bits of the lock's files. @default {0o600} */
  readonly mode?: number | undefined;
  /**
   * The identity of this host, instead of its name and the boot of its kernel.
   * Processes with the same identity count as on the same host, and processes
   * with different ones as on different hosts.
   */
  readonly hostId?: string | undefined;
  /**
   * A holder that can't be seen from here, and that a person has found to be
   * gone: the lock is taken from it. One that is seen alive keeps the lock.
   */
  readonly takeFrom?: LockOwner | undefined;
}

/**
 * The file operations that the store needs, and no more.
 *
 * Files and directories that root makes in a directory of another user belong
 * to that user. Where that is not possible, the call that makes one rejects and
 * leaves nothing.
 */
export interface FileSystem {
  /**
   * The absolute, `/`-separated form of a path or a `file:` URL. A text that
   * begins with `file:` is a URL.
   *
   * @throws {TypeError} when it is a URL that does not name a file of this
   * machine exactly: one with a host, a query, a fragment, an encoded slash.
   */
  resolve(path: string | URL): string;
  /**
   * Makes one directory; `EEXIST` when the name is taken, `ENOENT` when the
   * parent is missing. Its name is durable only after `syncDirectory(parent)`.
   */
  makeDirectory(path: string, mode: number): Promise<void>;
  /**
   * Opens a file. `mode` gives the permission bits of a file that is made. A
   * new name is durable only after `syncDirectory(parent)`.
   */
  open(path: string, how: OpenMode, mode?: number): Promise<FileHandle>;
  /** The entries of a directory, in no particular order. */
  readDirectory(path: string): Promise<DirectoryEntry[]>;
  /**
   * The state of a file or directory. A symbolic link is described, not
   * followed.
   */
  stat(path: string): Promise<FileStat>;
  /**
   * Gives a file or directory another name. A reader sees the old name or the
   * new one, never neither. An existing file, or an existing *empty* directory,
   * at `to` may be replaced, so the caller must look first. After a power cut
   * either name may be found until `syncDirectory()` on the parent has
   * resolved.
   */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a symbolic link. Durable after `syncDirectory(parent)`. */
  removeFile(path: string): Promise<void>;
  /** Removes an empty directory. Durable after `syncDirectory(parent)`. */
  removeDirectory(path: string): Promise<void>;
  /**
   * Holds a directory, so that names below it can be used while another process
   * may swap it for a link. A link is refused: `ENOTDIR` or `ELOOP`. The caller
   * must close it.
   */
  holdDirectory(path: string): Promise<HeldDirectory>;
  /**
   * Removes a directory with everything in it, or a file or link of that name;
   * resolves also when the name is free. No link is followed. The files go in
   * any order, a few at a time. After a failure the others are still removed;
   * then the call rejects with the first failure. Nothing of it is durable
   * before `syncDirectory()` on the directories in question.
   */
  removeTree(path: string): Promise<void>;
  /**
   * When it resolves, every name made, removed or changed in the directory
   * before the call survives a power cut. Where the platform has no such
   * operation it rejects with `EINVAL`, `ENOTSUP`, `EPERM` or `EISDIR`.
   */
  syncDirectory(path: string): Promise<void>;
  /**
   * Takes the lock that the plain file at `path` stands for. Rejects with
   * `EBUSY` when the lock is held; the error may have the `owner`, a
   * {@linkcode LockOwner}, and a `hint` for the caller. A lock whose holder has
   * died is taken over at once. A lock needs no durability: no process holds it
   * after a power cut.
   */
  lock(path: string, options?: LockOptions): Promise<FileLock>;
  /**
   * Reads who holds the lock, without taking or changing anything. Resolves to
   * `undefined` when there is no lock. A file that can't be read or understood
   * is a lock whose holder is unknown. Rejects only when descriptors or memory
   * run out.
   */
  readLock(path: string, options?: LockOptions): Promise<LockState | undefined>;
}
