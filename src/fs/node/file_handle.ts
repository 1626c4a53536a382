/**
 * An open file as a {@linkcode FileHandle}.
 *
 * @module
 */

import type { Stats } from "node:fs";
import type { FileHandle, FileKind, FileStat } from "../file_system.ts";
import type { Descriptor } from "./descriptor.ts";

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
  readonly #file: Descriptor;
  /** The result of `look()`, for the first call of `stat()`. */
  #opened: FileStat | undefined;

  constructor(file: Descriptor) {
    this.#file = file;
  }

  /**
   * Takes the state of the file that was just opened, which saves the first
   * `stat()` a call.
   */
  async look(): Promise<FileStat> {
    this.#opened = toFileStat(await this.#file.stat());
    return this.#opened;
  }

  async stat(): Promise<FileStat> {
    const opened = this.#opened;
    this.#opened = undefined;
    return opened ?? toFileStat(await this.#file.stat());
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#file.read(buffer, position);
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#file.write(bytes, position);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
