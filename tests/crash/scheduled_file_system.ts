/**
 * The file system of a simulated process, which can stop at any step.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  HeldDirectory,
  LockState,
  OpenMode,
} from "@raft/snapshots";
import type { MemoryFileSystem } from "@raft/snapshots/testing";
import { LockHeldError } from "../../src/fs/lock_held_error.ts";
import { removeByName } from "../../src/fs/node/remove_by_name.ts";
import { random } from "../support/random.ts";
import { isSync, SyncSites } from "./sync_sites.ts";

/** An operation that took effect on the disk. */
export interface Step {
  /** The method of the file system or of its handle. */
  readonly name: string;
  /** The file or directory. */
  readonly path: string;
  /** The new name, how a file was opened, which bytes were written. */
  readonly detail?: string;
}

/** The order of the operations, and when the process stops. */
export interface ScheduleOptions {
  /** Decides which of the operations under way takes effect next. */
  readonly schedule: number;
  /** How many operations take effect before the process stops. */
  readonly stepsMax?: number;
  /** Called when the process stops. */
  readonly onStop?: () => void;
  /** A sync that is reported as done and is not; see {@linkcode SyncSites}. */
  readonly droppedSync?: string | undefined;
}

/** An operation that was asked for and has not taken effect yet. */
interface Waiting {
  readonly step: Step;
  /** Lets it take effect. */
  take(): void;
  /** Rejects it, because the process has stopped. */
  refuse(): void;
}

/** Resolves once all that can be asked for has been asked for. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function systemError(code: string, { name, path }: Step): Error {
  return Object.assign(new Error(`${code}, ${name} '${path}'`), { code });
}

/**
 * The file system as a process sees it. Operations that are under way at a time
 * take effect one after the other, in an order that the schedule decides: a real
 * system promises no more. The process can stop between any two of them; from
 * then on nothing reaches the disk. Its locks end with it.
 */
export class ScheduledFileSystem implements FileSystem {
  /** The operations that took effect, in their order. */
  readonly trace: Step[] = [];
  readonly #disk: MemoryFileSystem;
  readonly #options: ScheduleOptions;
  readonly #sites = new SyncSites();
  readonly #integer: (below: number) => number;
  readonly #waiting: Waiting[] = [];
  readonly #locked = new Set<string>();
  #busy = false;
  #stopped = false;

  constructor(disk: MemoryFileSystem, options: ScheduleOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#integer = random(options.schedule).integer;
  }

  /** Whether the process has stopped. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The names of the syncs that there were; see {@linkcode SyncSites}. */
  get syncs(): ReadonlySet<string> {
    return this.#sites.found;
  }

  resolve(path: string | URL): string {
    return this.#disk.resolve(path);
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    const step = { name: "makeDirectory", path };
    return this.#ask(step, () => this.#disk.makeDirectory(path, mode));
  }

  async open(path: string, how: OpenMode, mode?: number): Promise<FileHandle> {
    const step = { name: "open", path, detail: how };
    const run = () => this.#disk.open(path, how, mode);
    return this.#watched(await this.#ask(step, run), path);
  }

  readDirectory(path: string): Promise<DirectoryEntry[]> {
    const step = { name: "readDirectory", path };
    return this.#ask(step, () => this.#disk.readDirectory(path));
  }

  stat(path: string): Promise<FileStat> {
    return this.#ask({ name: "stat", path }, () => this.#disk.stat(path));
  }

  rename(from: string, to: string): Promise<void> {
    const step = { name: "rename", path: from, detail: to };
    return this.#ask(step, () => this.#disk.rename(from, to));
  }

  removeFile(path: string): Promise<void> {
    const step = { name: "removeFile", path };
    return this.#ask(step, () => this.#disk.removeFile(path));
  }

  removeDirectory(path: string): Promise<void> {
    const step = { name: "removeDirectory", path };
    return this.#ask(step, () => this.#disk.removeDirectory(path));
  }

  /** No directory is swapped here, so the path itself is enough. */
  holdDirectory(path: string): Promise<HeldDirectory> {
    const step = { name: "holdDirectory", path };
    return this.#ask(step, async () => ({
      ...await this.#disk.holdDirectory(path),
      stat: () => this.stat(path),
      sync: () => this.syncDirectory(path),
    }));
  }

  /** Name by name, so that the process can stop in between. */
  removeTree(path: string): Promise<void> {
    return removeByName(this, path);
  }

  syncDirectory(path: string): Promise<void> {
    const step = { name: "syncDirectory", path };
    return this.#ask(step, () => this.#disk.syncDirectory(path));
  }

  /** The process's own lock: the disk does not remember it, only its file. */
  async lock(path: string): Promise<FileLock> {
    await this.#ask({ name: "lock", path }, async () => {
      if (this.#locked.has(path)) throw new LockHeldError(path);
      this.#locked.add(path);
      // The file of a process whose power was cut may still be there.
      await this.#disk.removeFile(path).catch(() => {});
      await (await this.#disk.open(path, "create", 0o600)).close();
    });
    const release = async () => {
      this.#locked.delete(path);
      // Its directory may be gone.
      await this.#disk.removeFile(path).catch(() => {});
    };
    return { release: () => this.#ask({ name: "release", path }, release) };
  }

  readLock(path: string): Promise<LockState | undefined> {
    return this.#ask({ name: "readLock", path }, () => {
      const isHeld = this.#locked.has(path);
      const state = {
        owner: undefined,
        holder: "here",
        hint: undefined,
      } as const;
      return Promise.resolve(isHeld ? state : undefined);
    });
  }

  #watched(handle: FileHandle, path: string): FileHandle {
    const ask = <T>(name: string, run: () => Promise<T>, detail = "") =>
      this.#ask(detail === "" ? { name, path } : { name, path, detail }, run);
    const range = ({ length }: Uint8Array, position: number) =>
      `${length} bytes at ${position}`;
    return {
      stat: () => ask("statHandle", () => handle.stat()),
      read: (buffer, position) =>
        ask("read", () => handle.read(buffer, position)),
      write: (bytes, position) => {
        const run = () => handle.write(bytes, position);
        return ask("write", run, range(bytes, position));
      },
      sync: () => ask("sync", () => handle.sync()),
      close: () => ask("close", () => handle.close()),
    };
  }

  #ask<T>(step: Step, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(systemError("EIO", step));
      if (this.#stopped) return refuse();
      const take = () => void this.#do(step, run).then(resolve, reject);
      this.#waiting.push({ step, take, refuse });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (;;) {
      await idle();
      const [next] = this.#waiting.splice(
        this.#integer(this.#waiting.length),
        1,
      );
      if (next === undefined) break;
      if (this.trace.length === this.#options.stepsMax) this.#stop();
      if (this.#stopped) next.refuse();
      else next.take();
    }
    this.#busy = false;
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.onStop?.();
  }

  #do<T>(step: Step, run: () => Promise<T>): Promise<T> {
    this.trace.push(step);
    const site = this.#sites.record(step);
    if (isSync(step) && site === this.#options.droppedSync) {
      return Promise.resolve(undefined as T);
    }
    return run();
  }
}
