/**
 * A directory of archives.
 *
 * @module
 */

import {
  SnapshotNotFoundError,
  StoreAccessError,
  StoreLockedError,
  systemCode,
} from "../errors.ts";
import { isNoDirectorySync } from "../fs/directory_sync.ts";
import type { FileHandle, FileSystem } from "../fs/file_system.ts";
import { requireDirectory } from "../fs/file_url.ts";
import type { LockHeldDetails } from "../fs/lock_held_error.ts";
import { makeDirectories } from "../fs/make_directories.ts";
import { nodeFileSystem } from "../fs/node/file_system.ts";
import { type OptionNames, requireKnown } from "../option_names.ts";
import { describe } from "../text.ts";
import {
  type ArchiveLease,
  type ArchiveNaming,
  type ArchiveSink,
  type ArchiveStore,
  type StoredArchive,
  SWEEP_AFTER_MS,
} from "./archive_store.ts";
import { makeFileSink, TEMPORARY } from "./file_archive_sink.ts";
import { formatName, newestFirst, parseName, requireName } from "./name.ts";

/** Options of {@linkcode openFileArchiveStore}. */
export interface FileArchiveStoreOptions {
  /** The file operations to use. @default {the real file system} */
  readonly fileSystem?: FileSystem | undefined;
  /** Permission bits of new files. @default {0o600} */
  readonly fileMode?: number | undefined;
  /** Permission bits of new directories. @default {0o700} */
  readonly directoryMode?: number | undefined;
  /** The identity of the host in the lock, as in `openFileSnapshotStore()`. */
  readonly hostId?: string | undefined;
}

const OPTIONS: OptionNames<FileArchiveStoreOptions> = {
  fileSystem: true,
  fileMode: true,
  directoryMode: true,
  hostId: true,
};

/** How many bytes are read at a time. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a directory of archives. It is made by the first `create()` or `lease()`
 * when it is missing. An archive is written under a temporary name, synced, and
 * then renamed, so that it is there whole or not at all, also after a power cut.
 * The lease is the lock of a snapshot store, the file `.lock`.
 *
 * @example Keep an archive that Consul sends, if it is complete
 * ```ts
 * import { copyArchive, openFileArchiveStore } from "@raft/snapshots/archive";
 *
 * async function backUp(consul: string): Promise<void> {
 *   const backups = openFileArchiveStore("./backups");
 *   const { body } = await fetch(`${consul}/v1/snapshot`, {
 *     headers: { "accept-encoding": "identity" },
 *   });
 *   if (body === null) throw new Error("Consul sent nothing");
 *   await copyArchive(body, ({ index }) => backups.create({ index }));
 * }
 * ```
 *
 * @throws {TypeError} when the directory's name or an option is wrong.
 */
export function openFileArchiveStore(
  directory: string | URL,
  options: FileArchiveStoreOptions = {},
): ArchiveStore {
  requireKnown(options, OPTIONS);
  return new FileArchiveStore(requireDirectory(directory), options);
}

class FileArchiveStore implements ArchiveStore {
  readonly place: string;
  readonly #fileSystem: FileSystem;
  readonly #options: FileArchiveStoreOptions;

  constructor(directory: string | URL, options: FileArchiveStoreOptions) {
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#options = options;
    this.place = this.#fileSystem.resolve(directory);
  }

  async list(): Promise<StoredArchive[]> {
    const named = (await this.#entries()).flatMap((each) =>
      parseName(each) ?? []
    );
    const archives: StoredArchive[] = [];
    for (const each of named) {
      const size = await this.#sizeOf(each.name);
      if (size !== undefined) archives.push({ ...each, size });
    }
    return archives.sort(newestFirst);
  }

  async create(naming: ArchiveNaming): Promise<ArchiveSink> {
    const name = formatName(naming);
    await this.#makeDirectory();
    const mode = this.#options.fileMode ?? 0o600;
    const fileSystem = this.#fileSystem;
    return await makeFileSink({ fileSystem, path: this.place, name, mode });
  }

  async open(name: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = `${this.place}/${requireName(name)}`;
    const file = await this.#run(`read ${path}`, async () => {
      try {
        return await this.#fileSystem.open(path, "read");
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        throw new SnapshotNotFoundError(`Cannot find ${path}`, {
          cause: error,
        });
      }
    });
    return this.#streamOf(file, path);
  }

  async delete(name: string): Promise<void> {
    const path = `${this.place}/${requireName(name)}`;
    await this.#run(`remove ${path}`, async () => {
      try {
        await this.#fileSystem.removeFile(path);
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
      }
      // Survives: a power cut after delete() has resolved. Without it the archive
      // could be there again.
      await this.#sync(this.place);
    });
  }

  async sweep(olderThanMs = SWEEP_AFTER_MS): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await this.#entries()) {
      if (!TEMPORARY.test(name)) continue;
      if (parseName(name.replace(TEMPORARY, "")) === undefined) continue;
      const path = `${this.place}/${name}`;
      await this.#run(`remove ${path}`, async () => {
        const { modifiedMs } = await this.#fileSystem.stat(path);
        if (Date.now() - modifiedMs < olderThanMs) return;
        await this.#fileSystem.removeFile(path);
        removed.push(name);
      });
    }
    return removed;
  }

  async lease(): Promise<ArchiveLease> {
    await this.#makeDirectory();
    const path = `${this.place}/.lock`;
    const { hostId, fileMode: mode = 0o600 } = this.#options;
    const lock = await this.#run(`lock ${path}`, async () => {
      try {
        return await this.#fileSystem.lock(path, { mode, hostId });
      } catch (error) {
        if (systemCode(error) !== "EBUSY") throw error;
        const { owner, hint } = error as LockHeldDetails;
        const more = hint === undefined ? {} : { hint };
        throw new StoreLockedError(path, owner, { cause: error, ...more });
      }
    });
    // A lock that can't be removed is given up in any case.
    const release = () => lock.release().catch(() => {});
    const { signal } = new AbortController();
    return { signal, release, [Symbol.asyncDispose]: release };
  }

  async #entries(): Promise<string[]> {
    return await this.#run(`read ${this.place}`, async () => {
      const entries = await this.#fileSystem.readDirectory(this.place);
      return entries.filter(({ kind }) => kind === "file")
        .map(({ name }) => name);
    });
  }

  /** `undefined` when another process has removed it. */
  async #sizeOf(name: string): Promise<number | undefined> {
    const path = `${this.place}/${name}`;
    return await this.#run(`read ${path}`, async () => {
      try {
        return (await this.#fileSystem.stat(path)).size;
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        return undefined;
      }
    });
  }

  #streamOf(
    file: FileHandle,
    path: string,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let position = 0;
    // Only read from: a failed close loses nothing.
    const close = () => file.close().catch(() => {});
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const buffer = new Uint8Array(CHUNK_BYTES);
        try {
          const count = await this.#run(
            `read ${path}`,
            () => file.read(buffer, position),
          );
          position += count;
          if (count > 0) return controller.enqueue(buffer.slice(0, count));
        } catch (error) {
          await close();
          throw error;
        }
        await close();
        controller.close();
      },
      cancel: close,
    }, { highWaterMark: 0 });
  }

  async #makeDirectory(): Promise<void> {
    await this.#run(
      `write to ${this.place}`,
      () =>
        makeDirectories(this.place, {
          fileSystem: this.#fileSystem,
          mode: this.#options.directoryMode ?? 0o700,
          sync: (path) => this.#sync(path),
        }),
    );
  }

  /** Accepts that the platform has no such operation. */
  async #sync(path: string): Promise<void> {
    try {
      await this.#fileSystem.syncDirectory(path);
    } catch (error) {
      if (!isNoDirectorySync(error)) throw error;
    }
  }

  /** Runs a call; the message of an error names the operation. */
  async #run<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof SnapshotNotFoundError) throw error;
      if (error instanceof StoreLockedError) throw error;
      throw new StoreAccessError(`Cannot ${doing}: ${describe(error)}`, {
        cause: error,
      });
    }
  }
}
