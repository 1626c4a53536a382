/**
 * Writes an archive into a directory: first under a temporary name, which is
 * replaced by its own name when all bytes are on the disk.
 *
 * @module
 */

import {
  SnapshotPublishError,
  StoreAccessError,
  systemCode,
} from "../errors.ts";
import { isNoDirectorySync } from "../fs/directory_sync.ts";
import type { FileHandle, FileSystem } from "../fs/file_system.ts";
import { exists, writeFully } from "../fs/io.ts";
import { describe } from "../text.ts";
import type { ArchiveSink } from "./archive_store.ts";

/** The end of a temporary name, after the archive's name. */
export const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/;

/** Where an archive is written. */
export interface NewFile {
  readonly fileSystem: FileSystem;
  /** The directory. */
  readonly path: string;
  /** The archive's name. */
  readonly name: string;
  /** Permission bits of the file. */
  readonly mode: number;
}

/** Begins an archive. */
export async function makeFileSink(file: NewFile): Promise<ArchiveSink> {
  const { fileSystem, path, name, mode } = file;
  const random = crypto.randomUUID().slice(0, 8);
  const temporary = `${path}/${name}.${random}.tmp`;
  const handle = await fileSystem.open(temporary, "create", mode)
    .catch((error) => {
      throw cannotWrite(file, error);
    });
  const pending = new PendingFile(file, temporary, handle);
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => pending.write(chunk),
    close: () => pending.publish(),
    abort: () => pending.discard(),
  }, { highWaterMark: 0 });
  return Object.assign(sink, { archiveName: name });
}

class PendingFile {
  readonly #file: NewFile;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #position = 0;
  #isOpen = true;

  constructor(file: NewFile, temporary: string, handle: FileHandle) {
    this.#file = file;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#orDiscard(async () => {
      await writeFully(this.#handle, chunk, this.#position);
      this.#position += chunk.length;
    });
  }

  async publish(): Promise<void> {
    const { fileSystem, path, name } = this.#file;
    await this.#orDiscard(async () => {
      // Survives: a power cut after the rename. Without it the archive could be
      // empty or cut short under its name.
      await this.#handle.sync();
      this.#isOpen = false;
      await this.#handle.close();
      // A rename would replace it.
      if (await exists(fileSystem, `${path}/${name}`)) {
        throw new StoreAccessError(
          `Cannot write ${path}/${name}: there is an archive of that name`,
        );
      }
      await fileSystem.rename(this.#temporary, `${path}/${name}`);
    });
    try {
      // Survives: a power cut after close() has resolved. Without it the name
      // could be missing.
      await fileSystem.syncDirectory(path);
    } catch (error) {
      // Platforms that can't do it (Windows, some network file systems; not run
      // there).
      if (isNoDirectorySync(error)) return;
      const found = describe(error);
      throw new SnapshotPublishError(
        `Cannot make the name of ${path}/${name} durable: ${found}`,
        { cause: error, published: true },
      );
    }
  }

  /** Removes the written bytes. Never rejects: a sweep removes the rest. */
  async discard(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false;
      await this.#handle.close().catch(() => {});
    }
    await this.#file.fileSystem.removeFile(this.#temporary).catch(() => {});
  }

  async #orDiscard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.discard();
      throw cannotWrite(this.#file, error);
    }
  }
}

function cannotWrite({ path, name }: NewFile, error: unknown): unknown {
  // Only the system's errors have one.
  if (systemCode(error) === undefined) return error;
  return new StoreAccessError(
    `Cannot write ${path}/${name}: ${describe(error)}`,
    { cause: error },
  );
}
