/**
 * An open file of `node:fs/promises` as a {@linkcode FileHandle}.
 *
 * @module
 */

import type { Stats } from "node:fs";
import type { FileHandle as NodeHandle } from "node:fs/promises";
import type { FileHandle, FileKind, FileStat } from "../file_system.ts";
import { syncHandle } from "./sync.ts";

/** The common methods of `Stats` and `Dirent`. */
interface KindQueries {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** The kind that a `Stats` or a `Dirent` describes. */
export function kindOf(entry: KindQueries): FileKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "other";
}

/** The `FileStat` of Node's `Stats`. */
export function toFileStat(stats: Stats): FileStat {
  const { size, mtimeMs, ctimeMs, dev, ino } = stats;
  return {
    kind: kindOf(stats),
    size,
    modifiedMs: mtimeMs,
    changedMs: ctimeMs,
    identity: `${dev}/${ino}`,
  };
}

/** Each read and write is one system call: the caller loops. */
export class NodeFileHandle implements FileHandle {
  readonly #handle: NodeHandle;
  /** The result of `look()`, for the first call of `stat()`. */
  #opened: FileStat | undefined;

  constructor(handle: NodeHandle) {
    this.#handle = handle;
  }

  /**
   * Takes the state of the file that was just opened, which saves the first
   * `stat()` a call.
   */
  async look(): Promise<FileStat> {
    this.#opened = toFileStat(await this.#handle.stat());
    return this.#opened;
  }

  async stat(): Promise<FileStat> {
    const opened = this.#opened;
    this.#opened = undefined;
    return opened ?? toFileStat(await this.#handle.stat());
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    const { length } = buffer;
    return (await this.#handle.read(buffer, 0, length, position)).bytesRead;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    const { length } = bytes;
    return (await this.#handle.write(bytes, 0, length, position)).bytesWritten;
  }

  sync(): Promise<void> {
    return syncHandle(this.#handle);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
