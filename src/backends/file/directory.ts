/**
 * The directory that snapshots are kept in, and how its names become durable.
 *
 * @module
 */

import { allSettled } from "../../backend/all_settled.ts";
import type { BackendHost } from "../../backend/backend.ts";
import { isNoDirectorySync } from "../../fs/directory_sync.ts";
import type {
  FileStat,
  FileSystem,
  HeldDirectory,
} from "../../fs/file_system.ts";
import { requireDirectory } from "../../fs/file_url.ts";
import { withHeld } from "../../fs/io.ts";
import type { ResolvedFileBackendOptions } from "./options.ts";

/** A held directory, and its identity. */
interface Held {
  readonly directory: HeldDirectory;
  readonly identity: string;
}

/** The `snapshots/` directory of a store. */
export class Directory {
  /** Go's *base*: the directory that `snapshots/` is in. */
  readonly base: string;
  /** The `snapshots/` directory. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  /** Permission bits of new files. */
  readonly fileMode: number;
  /** Permission bits of new directories. */
  readonly directoryMode: number;
  /** Reports events; set when the store connects. */
  report: BackendHost["report"] = () => {};
  #held: Held | undefined;
  #hasReportedNoSync = false;
  #isSyncOwed = false;

  constructor(
    directory: string | URL,
    options: ResolvedFileBackendOptions,
  ) {
    this.fileSystem = options.fileSystem;
    this.base = options.fileSystem.resolve(requireDirectory(directory));
    this.path = `${this.base}/snapshots`;
    this.fileMode = options.fileMode;
    this.directoryMode = options.directoryMode;
  }

  /** The path of a name in `snapshots/`. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Holds the directory, so that a sync need not open it. If that is not
   * possible, each sync opens it. Resolves to the directory's state.
   */
  async keepOpen(): Promise<FileStat | undefined> {
    await this.letGo();
    // The next operation will report the fault.
    const directory = await this.fileSystem.holdDirectory(this.path)
      .catch(() => undefined);
    if (directory === undefined) return undefined;
    const stat = await directory.stat().catch(() => undefined);
    const identity = stat?.identity;
    if (identity === undefined) await directory.close().catch(() => {});
    else this.#held = { directory, identity };
    return stat;
  }

  /** The opposite of {@linkcode Directory.keepOpen}; never rejects. */
  async letGo(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    try {
      await held?.directory.close();
    } catch {
      // Nothing was written through the handle, so a failure loses nothing.
    }
  }

  /**
   * Uses a directory in it by a path that stays valid when its name is swapped.
   */
  hold<T>(name: string, use: (heldPath: string) => Promise<T>): Promise<T> {
    return withHeld(this, this.at(name), use);
  }

  /**
   * Makes the names in a directory durable. Where the platform can't (Windows,
   * some network file systems; not run there) this is reported once and
   * accepted, because the store could not be used there otherwise. Any other
   * failure is an error.
   */
  sync(path: string = this.path): Promise<void> {
    return this.#tolerate(() =>
      path === this.path
        ? this.#syncNames()
        : this.fileSystem.syncDirectory(path)
    );
  }

  /** The same for a directory that is held. */
  syncHeld(directory: HeldDirectory): Promise<void> {
    return this.#tolerate(() => directory.sync());
  }

  async #syncNames(): Promise<void> {
    const held = this.#held;
    if (held === undefined) {
      return await this.fileSystem.syncDirectory(this.path);
    }
    const looking = this.fileSystem.stat(this.path).catch(() => undefined);
    await allSettled([held.directory.sync(), looking]);
    if ((await looking)?.identity === held.identity) return;
    // Another program may have put another directory in its place.
    await this.fileSystem.syncDirectory(this.path);
  }

  async #tolerate(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (error) {
      if (!isNoDirectorySync(error)) throw error;
      if (this.#hasReportedNoSync) return;
      this.#hasReportedNoSync = true;
      this.report({ type: "directoryNotSynced", error });
    }
  }

  /**
   * Notes that a snapshot has its name, but the directory could not be synced.
   * Until it can, no snapshot can be acknowledged.
   */
  oweSync(): void {
    this.#isSyncOwed = true;
  }

  /** Notes that the directory was synced: all of its names are durable. */
  syncIsPaid(): void {
    this.#isSyncOwed = false;
  }

  /** Syncs the directory if that is owed. */
  async payOwedSync(): Promise<void> {
    if (!this.#isSyncOwed) return;
    await this.sync();
    this.syncIsPaid();
  }
}
