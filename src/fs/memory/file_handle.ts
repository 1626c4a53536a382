/**
 * An open file of the file system in memory.
 *
 * @module
 */

import type { FileHandle, FileStat } from "../file_system.ts";
import type { MemoryFile } from "./file.ts";
import { statOf } from "./stat.ts";
import { systemError } from "../system_error.ts";

/** The file system that a handle belongs to. */
export interface HandleHost {
  /** Runs an operation at once, unless the power is off. */
  perform<T>(syscall: string, path: string, body: () => T): Promise<T>;
  /** Called once, when the handle is closed. */
  closed(): void;
}

/** Reads or writes a file, also after its name was removed. */
export class MemoryFileHandle implements FileHandle {
  readonly #file: MemoryFile;
  readonly #path: string;
  readonly #writable: boolean;
  readonly #host: HandleHost;
  #open = true;

  constructor(
    file: MemoryFile,
    options: { readonly path: string; readonly writable: boolean },
    host: HandleHost,
  ) {
    this.#file = file;
    this.#path = options.path;
    this.#writable = options.writable;
    this.#host = host;
  }

  stat(): Promise<FileStat> {
    return this.#use("fstat", () => statOf(this.#file));
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#use("read", () => {
      this.#check("read", !this.#writable, position);
      return this.#file.read(buffer, position);
    });
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#use("write", () => {
      this.#check("write", this.#writable, position);
      this.#file.write(bytes, position);
      return bytes.length;
    });
  }

  sync(): Promise<void> {
    return this.#use("fsync", () => this.#file.sync());
  }

  close(): Promise<void> {
    if (this.#open) this.#host.closed();
    this.#open = false;
    return this.#host.perform("close", this.#path, () => {});
  }

  #use<T>(syscall: string, body: () => T): Promise<T> {
    return this.#host.perform(syscall, this.#path, () => {
      if (!this.#open) throw systemError("EBADF", syscall, this.#path);
      return body();
    });
  }

  #check(syscall: string, allowed: boolean, position: number): void {
    if (!allowed) throw systemError("EBADF", syscall, this.#path);
    if (Number.isSafeInteger(position) && position >= 0) return;
    throw systemError("EINVAL", syscall, this.#path);
  }
}
