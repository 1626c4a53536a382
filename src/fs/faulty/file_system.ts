/**
 * A file system whose operations can be made to fail.
 *
 * @module
 */

import type { Fault, Injector, Operation, OperationName } from "./fault.ts";
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
import { removeByName } from "../node/remove_by_name.ts";
import { systemError } from "../system_error.ts";

/** A wrapped operation, and how to undo it. */
interface Action<T> {
  readonly name: OperationName;
  readonly path: string;
  readonly to?: string;
  /** Runs the operation; `lengthMax` is the most bytes to read or write. */
  run(lengthMax: number): Promise<T>;
  /** Releases the result of an operation that is made to fail after it. */
  undo?(result: T): Promise<void>;
}

type Perform = <T>(action: Action<T>) => Promise<T>;

class FaultyFileHandle implements FileHandle {
  readonly #inner: FileHandle;
  readonly #path: string;
  readonly #perform: Perform;
  readonly #onClose: () => void;

  constructor(
    inner: FileHandle,
    path: string,
    hooks: { readonly perform: Perform; readonly onClose: () => void },
  ) {
    this.#inner = inner;
    this.#path = path;
    this.#perform = hooks.perform;
    this.#onClose = hooks.onClose;
  }

  stat(): Promise<FileStat> {
    const run = () => this.#inner.stat();
    return this.#perform({ name: "statHandle", path: this.#path, run });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    const run = (lengthMax: number) =>
      this.#inner.read(buffer.subarray(0, lengthMax), position);
    return this.#perform({ name: "read", path: this.#path, run });
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    const run = (lengthMax: number) =>
      this.#inner.write(bytes.subarray(0, lengthMax), position);
    return this.#perform({ name: "write", path: this.#path, run });
  }

  sync(): Promise<void> {
    const run = () => this.#inner.sync();
    return this.#perform({ name: "sync", path: this.#path, run });
  }

  async close(): Promise<void> {
    let closed = false;
    const run = () => {
      closed = true;
      return this.#inner.close();
    };
    try {
      await this.#perform({ name: "close", path: this.#path, run });
    } finally {
      // The contract: a close that rejects has released the handle.
      this.#onClose();
      if (!closed) await this.#inner.close();
    }
  }
}

/**
 * Wraps a file system. Before each operation it asks an {@linkcode Injector}
 * for a fault, and it records all operations.
 *
 * @example A disk that is full from the tenth operation on
 * ```ts
 * import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";
 * import assert from "node:assert/strict";
 *
 * const files = new FaultyFileSystem(
 *   new MemoryFileSystem(),
 *   ({ index }) => index >= 10 ? { code: "ENOSPC" } : undefined,
 * );
 * for (let i = 0; i < 10; i++) await files.makeDirectory(`/${i}`, 0o700);
 * await assert.rejects(files.makeDirectory("/10", 0o700), { code: "ENOSPC" });
 * assert.equal(files.trace.length, 11);
 * ```
 */
export class FaultyFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #trace: Operation[] = [];
  #injector: Injector | undefined;
  readonly #open = new Set<{ readonly path: string }>();

  /** Wraps `inner`; without an injector no operation is made to fail. */
  constructor(inner: FileSystem, injector?: Injector) {
    this.#inner = inner;
    this.#injector = injector;
  }

  /** Every operation so far, also those that failed, in the order of the calls. */
  get trace(): readonly Operation[] {
    return this.#trace;
  }

  /** How many files are open, and directories held. */
  get openHandles(): number {
    return this.#open.size;
  }

  /** The paths that they were opened by, in that order. */
  get openPaths(): string[] {
    return Array.from(this.#open, ({ path }) => path);
  }

  /**
   * Sets the injector from now on; without one no operation is made to fail.
   */
  inject(injector?: Injector): void {
    this.#injector = injector;
  }

  /** See {@linkcode FileSystem.resolve}; never fails by injection. */
  resolve(path: string | URL): string {
    return this.#inner.resolve(path);
  }

  /** See {@linkcode FileSystem.makeDirectory}. */
  makeDirectory(path: string, mode: number): Promise<void> {
    const run = () => this.#inner.makeDirectory(path, mode);
    return this.#perform({ name: "makeDirectory", path, run });
  }

  /** See {@linkcode FileSystem.open}. */
  async open(path: string, how: OpenMode, mode?: number): Promise<FileHandle> {
    const inner = await this.#perform({
      name: "open",
      path,
      run: () => this.#inner.open(path, how, mode),
      undo: (handle) => handle.close(),
    });
    const onClose = this.#noteOpen(path);
    const perform: Perform = (action) => this.#perform(action);
    return new FaultyFileHandle(inner, path, { perform, onClose });
  }

  /** See {@linkcode FileSystem.holdDirectory}; a close never fails. */
  async holdDirectory(path: string): Promise<HeldDirectory> {
    const inner = await this.#perform({
      name: "holdDirectory",
      path,
      run: () => this.#inner.holdDirectory(path),
      undo: (held) => held.close(),
    });
    const onClose = this.#noteOpen(path);
    const close = async () => {
      onClose();
      await inner.close();
    };
    const run = () => inner.sync();
    const sync = () => this.#perform({ name: "syncDirectory", path, run });
    const stat = () =>
      this.#perform({ name: "statHandle", path, run: () => inner.stat() });
    return { path: inner.path, stat, sync, close };
  }

  /**
   * See {@linkcode FileSystem.removeTree}. It removes name by name, so that
   * each removal can fail, and does not hold directories against a swap by
   * another process.
   */
  removeTree(path: string): Promise<void> {
    return removeByName(this, path);
  }

  /** See {@linkcode FileSystem.readDirectory}. */
  readDirectory(path: string): Promise<DirectoryEntry[]> {
    const run = () => this.#inner.readDirectory(path);
    return this.#perform({ name: "readDirectory", path, run });
  }

  /** See {@linkcode FileSystem.stat}. */
  stat(path: string): Promise<FileStat> {
    const run = () => this.#inner.stat(path);
    return this.#perform({ name: "stat", path, run });
  }

  /** See {@linkcode FileSystem.rename}. */
  rename(from: string, to: string): Promise<void> {
    const run = () => this.#inner.rename(from, to);
    return this.#perform({ name: "rename", path: from, to, run });
  }

  /** See {@linkcode FileSystem.removeFile}. */
  removeFile(path: string): Promise<void> {
    const run = () => this.#inner.removeFile(path);
    return this.#perform({ name: "removeFile", path, run });
  }

  /** See {@linkcode FileSystem.removeDirectory}. */
  removeDirectory(path: string): Promise<void> {
    const run = () => this.#inner.removeDirectory(path);
    return this.#perform({ name: "removeDirectory", path, run });
  }

  /** See {@linkcode FileSystem.syncDirectory}. */
  syncDirectory(path: string): Promise<void> {
    const run = () => this.#inner.syncDirectory(path);
    return this.#perform({ name: "syncDirectory", path, run });
  }

  /** See {@linkcode FileSystem.lock}. */
  async lock(path: string, options?: LockOptions): Promise<FileLock> {
    const lock = await this.#perform({
      name: "lock",
      path,
      run: () => this.#inner.lock(path, options),
      undo: (taken) => taken.release(),
    });
    const run = () => lock.release();
    return {
      ...lock,
      release: () => this.#perform({ name: "release", path, run }),
    };
  }

  /** See {@linkcode FileSystem.readLock}. */
  readLock(
    path: string,
    options?: LockOptions,
  ): Promise<LockState | undefined> {
    const run = () => this.#inner.readLock(path, options);
    return this.#perform({ name: "readLock", path, run });
  }

  /** Notes a path as open until the returned function is called. */
  #noteOpen(path: string): () => void {
    const note = { path };
    this.#open.add(note);
    return () => void this.#open.delete(note);
  }

  async #perform<T>(action: Action<T>): Promise<T> {
    const operation = this.#record(action);
    const fault: Fault = this.#injector?.(operation) ?? {};
    const { wait, code, when = "before", length = Infinity } = fault;
    await wait;
    const error = code === undefined
      ? undefined
      : systemError(code, action.name, action.path);
    if (error !== undefined && when === "before") throw error;
    const result = await action.run(length);
    if (error === undefined) return result;
    await action.undo?.(result);
    throw error;
  }

  #record({ name, path, to }: Action<unknown>): Operation {
    const index = this.#trace.length;
    const operation = to === undefined
      ? { index, name, path }
      : { index, name, path, to };
    this.#trace.push(operation);
    return operation;
  }
}
