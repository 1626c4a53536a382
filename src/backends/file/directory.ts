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
import { fileUrlOf } from "../../fs/file_url.ts";
import { withHeld } from "../../fs/io.ts";
import type { ResolvedFileBackendOptions } from "./options.ts";

/** A directory that is held, and which one it is. */
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
  /** Where to report; the store says so when it connects. */
  report: BackendHost["report"] = () => {};
  #held: Held | undefined;
  #hasReportedNoSync = false;
  #isSyncOwed = false;

  constructor(
    directory: string | URL,
    options: ResolvedFileBackendOptions,
  ) {
    // The empty path would be the working directory: most likely an unset
    // variable.
    if (!directory) {
      throw new TypeError("Cannot open a store: found no name of a directory");
    }
    this.fileSystem = options.fileSystem;
    const url = fileUrlOf(directory);
    this.base = options.fileSystem.resolve(url ?? directory);
    this.path = `${this.base}/snapshots`;
    this.fileMode = options.fileMode;
    this.directoryMode = options.directoryMode;
  }

  /** The path of a name in `snapshots/`. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Holds it, so that a sync need not open it. It need not be held: where it
   * can't, each sync opens it. Resolves to what was seen of it.
   */
  async keepOpen(): Promise<FileStat | undefined> {
    await this.letGo();
    // What is wrong will be seen by what comes next.
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
      // Nothing was written through it: a failure takes nothing away.
    }
  }

  /** Uses a directory in it, by a path that no swap of its name leads astray. */
  hold<T>(name: string, use: (heldPath: string) => Promise<T>): Promise<T> {
    return withHeld(this, this.at(name), use);
  }

  /**
   * Makes the names in a directory durable. Where the platform can't (Windows,
   * some network file systems) this is reported once and tolerated: the store
   * would otherwise be of no use there. Any other failure is one.
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
   * A snapshot has got its name, and the directory could not be synced: until it
   * can, no snapshot can be acknowledged.
   */
  oweSync(): void {
    this.#isSyncOwed = true;
  }

  /** The directory has been synced: all of its names are durable. */
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
