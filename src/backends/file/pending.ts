/**
 * A snapshot that is being written, in its `.tmp` directory, until it is
 * published or discarded. The order of the steps makes it durable; see
 * docs/durability.md.
 *
 * @module
 */

import { allSettled } from "../../backend/all_settled.ts";
import type { FinalParts, PendingSnapshot } from "../../backend/backend.ts";
import { MaybePublishedError } from "../../backend/maybe_published_error.ts";
import { SnapshotPublishError } from "../../errors.ts";
import type { FileHandle, HeldDirectory } from "../../fs/file_system.ts";
import { exists, withFile, writeAndSync, writeFully } from "../../fs/io.ts";
import { showPath } from "../../fs/shown_path.ts";
import type { Extra } from "../../snapshot/extras.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { temporaryName } from "./names.ts";
import type { Removals } from "./removals.ts";
import { StateFile } from "./state_file.ts";
import type { TakenIds } from "./taken_ids.ts";

/** The parts of the backend that a pending snapshot uses. */
export interface PendingParts {
  readonly directory: Directory;
  readonly marks: Marks;
  readonly removals: Removals;
  readonly taken: TakenIds;
}

/** The files of a snapshot that is being written, and their directory. */
interface PendingFiles {
  readonly held: HeldDirectory;
  readonly meta: FileHandle;
  readonly state: FileHandle;
  readonly blocks: FileHandle;
}

/**
 * Fills the `.tmp` directory that was just made for a snapshot; removes it
 * when that fails.
 */
export async function openPending(
  parts: PendingParts,
  id: string,
  meta: Uint8Array,
): Promise<PendingSnapshot> {
  const { directory } = parts;
  try {
    const path = directory.at(temporaryName({ id, state: "writing" }));
    const files = await createFiles(directory, path, meta);
    return new PendingDirectory(parts, id, files);
  } catch (error) {
    await remove(parts, id);
    throw error;
  }
}

async function remove({ removals, taken }: PendingParts, id: string) {
  await removals.removePending(id);
  taken.remove(id);
}

/**
 * Makes the files, all at once: in the end each is open, or none. The directory
 * is held until the end, so that a swap of its name has no effect, and its sync
 * need not open it.
 */
async function createFiles(
  { fileSystem, fileMode }: Directory,
  path: string,
  meta: Uint8Array,
): Promise<PendingFiles> {
  const held = await fileSystem.holdDirectory(path);
  const opened: { close(): Promise<void> }[] = [held];
  const create = async (name: string) => {
    const file = `${held.path}/${name}`;
    const handle = await fileSystem.open(file, "create", fileMode);
    opened.push(handle);
    return handle;
  };
  const createMeta = async () => {
    const file = await create("meta.json");
    // As Go does, so that the operator sees the metadata of an unfinished .tmp.
    await writeFully(file, meta, 0);
    return file;
  };
  const creating = {
    meta: createMeta(),
    state: create("state.bin"),
    blocks: create("blocks.crc64"),
  };
  try {
    await allSettled(Object.values(creating));
    return {
      held,
      meta: await creating.meta,
      state: await creating.state,
      blocks: await creating.blocks,
    };
  } catch (error) {
    await Promise.allSettled(opened.map((each) => each.close()));
    throw showPath(error, held.path, path);
  }
}

/** A `.tmp` directory with open files. */
class PendingDirectory implements PendingSnapshot {
  readonly #parts: PendingParts;
  readonly #id: string;
  readonly #held: HeldDirectory;
  readonly #meta: FileHandle;
  readonly #blocks: FileHandle;
  readonly #state: StateFile;
  #filesClosed = false;

  constructor(parts: PendingParts, id: string, files: PendingFiles) {
    this.#parts = parts;
    this.#id = id;
    this.#held = files.held;
    this.#meta = files.meta;
    this.#blocks = files.blocks;
    this.#state = new StateFile(files.state);
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#state.append(bytes);
  }

  async publish(parts: FinalParts): Promise<void> {
    const { directory, marks } = this.#parts;
    await this.#makeFilesDurable(parts);
    await this.#rename();
    try {
      // Survives: a power cut right after. Without it the snapshot could still
      // be found under its .tmp name, and the next start would sweep it away.
      await directory.sync();
    } catch (error) {
      directory.oweSync();
      throw new MaybePublishedError(error);
    }
    directory.syncIsPaid();
    marks.noteUnmarked(this.#id);
  }

  /** Everything in the `.tmp` directory is on disk when this resolves. */
  async #makeFilesDurable({ meta, blocks, extra }: FinalParts): Promise<void> {
    const { directory } = this.#parts;
    const path = this.#path;
    if (blocks === undefined) {
      await directory.fileSystem.removeFile(`${path}/blocks.crc64`);
    }
    // Before the directory is synced: its name must be among those that are.
    if (extra !== undefined) await this.#writeExtra(extra);
    // Side by side: a disk makes several durable in the time of one.
    await allSettled([
      // Survives: a power cut after the publication. Without it the state could
      // be cut short, or have holes of zeros.
      this.#state.sync(),
      // Survives: the same. Without them meta.json could be empty or still the
      // provisional one, which is shorter, and the checksums could be cut off.
      writeAndSync(this.#meta, meta),
      ...(blocks === undefined ? [] : [writeAndSync(this.#blocks, blocks)]),
      // Survives: a power cut after the publication. Without it the directory
      // could be there with its files' names missing from it.
      directory.syncHeld(this.#held),
      this.#requireFreeName(),
    ]);
    await this.#closeFiles();
  }

  async #writeExtra({ name, bytes }: Extra): Promise<void> {
    const { fileSystem, fileMode } = this.#parts.directory;
    const path = `${this.#path}/${name}`;
    const file = await fileSystem.open(path, "create", fileMode);
    // Survives: a power cut after the publication. Without it the file could be
    // empty or cut short, and a snapshot of Vault would have lost its seal.
    await withFile(file, () => writeAndSync(file, bytes));
  }

  /**
   * POSIX replaces an empty directory silently. Go's rename rejects that, and
   * so does this.
   */
  async #requireFreeName(): Promise<void> {
    const { directory } = this.#parts;
    if (!await exists(directory.fileSystem, directory.at(this.#id))) return;
    throw new SnapshotPublishError(
      `Cannot publish snapshot ${this.#id}: its name is taken`,
      { published: false },
    );
  }

  async #rename(): Promise<void> {
    const { directory } = this.#parts;
    try {
      await directory.fileSystem.rename(this.#path, directory.at(this.#id));
    } catch (error) {
      if (!await this.#mayHaveFinalName()) throw error;
      directory.oweSync();
      throw new MaybePublishedError(error);
    }
  }

  /** Whether a rename that reported a failure may have been done. */
  async #mayHaveFinalName(): Promise<boolean> {
    const { directory, removals } = this.#parts;
    const { fileSystem } = directory;
    try {
      return !(await exists(fileSystem, this.#path)) &&
        await exists(fileSystem, directory.at(this.#id));
    } catch {
      // The answer is unknown. If the rename was not done, the next reap
      // removes the directory.
      removals.add(this.#name);
      return true;
    }
  }

  async discard(): Promise<void> {
    await this.#state.idle();
    try {
      await this.#closeFiles();
    } catch (error) {
      const id = this.#id;
      const { report } = this.#parts.directory;
      report({ type: "failed", operation: "discard", id, error });
    }
    await remove(this.#parts, this.#id);
  }

  get #name(): string {
    return temporaryName({ id: this.#id, state: "writing" });
  }

  get #path(): string {
    return this.#parts.directory.at(this.#name);
  }

  async #closeFiles(): Promise<void> {
    if (this.#filesClosed) return;
    this.#filesClosed = true;
    await allSettled([
      this.#meta.close(),
      this.#state.close(),
      this.#blocks.close(),
      // Nothing was written through the handle, so a failure loses nothing.
      this.#held.close().catch(() => {}),
    ]);
  }
}
