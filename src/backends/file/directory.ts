/**
 * The directory that snapshots are kept in, and how its names become durable.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { isNoDirectorySync } from "../../fs/directory_sync.ts";
import type { FileSystem } from "../../fs/file_system.ts";
import { fileUrlOf } from "../../fs/file_url.ts";
import { withHeld } from "../../fs/io.ts";
import type { Logger } from "../../logger.ts";
import type { ResolvedFileBackendOptions } from "./options.ts";

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
  /** Where to report; the store gives its own when it connects. */
  logger: Logger;
  #hasReportedNoSync = false;
  #isSyncOwed = false;

  constructor(
    directory: string | URL,
    options: ResolvedFileBackendOptions,
    logger: Logger,
  ) {
    this.fileSystem = options.fileSystem;
    const url = fileUrlOf(directory);
    this.base = options.fileSystem.resolve(url ?? directory);
    this.path = `${this.base}/snapshots`;
    this.fileMode = options.fileMode;
    this.directoryMode = options.directoryMode;
    this.logger = logger;
  }

  /** The path of a name in `snapshots/`. */
  at(name: string): string {
    return `${this.path}/${name}`;
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
  async sync(path: string = this.path): Promise<void> {
    try {
      await this.fileSystem.syncDirectory(path);
    } catch (error) {
      if (!isNoDirectorySync(error)) throw error;
      if (this.#hasReportedNoSync) return;
      this.#hasReportedNoSync = true;
      this.logger.warn(
        `Cannot sync directories (${systemCode(error)}): after a power cut ` +
          `the newest snapshot in ${this.base} may be missing`,
      );
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
