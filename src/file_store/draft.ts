/**
 * A snapshot that is being written, in its `.tmp` directory, until it is
 * published or discarded. The order of the steps is what makes it durable; see
 * docs/durability.md.
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import { SnapshotPublishError, systemCode } from "../errors.ts";
import type { MakeExtra } from "../snapshot/extras.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type { InitialMeta } from "../snapshot/init.ts";
import { encodeMeta } from "../snapshot/meta/encode.ts";
import type { Draft } from "../store/sink.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { allSettled, type StoreContext, syncDirectory } from "./context.ts";
import {
  exists,
  withFile,
  withHeld,
  writeAndSync,
  writeFully,
} from "../fs/io.ts";
import {
  BLOCKS_FILE_SIZE_MAX,
  encodeBlocks,
} from "../snapshot/block_checksums.ts";
import {
  compareNewestFirst,
  formatId,
  parseId,
  temporaryName,
} from "../snapshot/id.ts";
import { encodeProvisionalMeta } from "../snapshot/meta/provisional.ts";
import { removeTemporary } from "./remove.ts";
import { type DirectoryNames, readNames } from "./scan.ts";
import { StateWriter } from "./state_writer.ts";

/** Makes the `.tmp` directory of a new snapshot and opens its files. */
export async function createDraft(
  context: StoreContext,
  init: InitialMeta,
): Promise<Draft> {
  await settleNames(context);
  const id = await makeTemporaryDirectory(context, init);
  const name = temporaryName({ id, state: "writing" });
  try {
    const meta = { ...init, id };
    const create = (held: string) => createFiles(context, held, meta);
    const files = await withHeld(context, `${context.path}/${name}`, create);
    return new FileDraft(context, meta, files);
  } catch (error) {
    await removeTemporary(context, name);
    throw error;
  }
}

/** The files of a snapshot that is being written. */
interface DraftFiles {
  readonly meta: FileHandle;
  readonly state: FileHandle;
  readonly blocks: FileHandle;
}

/** Makes the files, all at once: in the end each is open, or none. */
async function createFiles(
  context: StoreContext,
  directory: string,
  meta: SnapshotMeta,
): Promise<DraftFiles> {
  const { fileSystem, fileMode } = context;
  const opened: FileHandle[] = [];
  const create = async (file: string) => {
    const path = `${directory}/${file}`;
    const handle = await fileSystem.open(path, "create", fileMode);
    opened.push(handle);
    return handle;
  };
  const creating = {
    meta: create("meta.json"),
    state: create("state.bin"),
    blocks: create("blocks.crc64"),
  };
  try {
    await allSettled(Object.values(creating));
    const files = {
      meta: await creating.meta,
      state: await creating.state,
      blocks: await creating.blocks,
    };
    // As Go does: who looks into a .tmp sees what it was going to be.
    await writeFully(files.meta, encodeProvisionalMeta(meta), 0);
    return files;
  } catch (error) {
    await Promise.allSettled(opened.map((handle) => handle.close()));
    throw error;
  }
}

/**
 * Makes a directory under a name that was never used: two sinks of one
 * millisecond, or a clock that goes back, must not share or reorder IDs.
 */
async function makeTemporaryDirectory(
  context: StoreContext,
  init: InitialMeta,
): Promise<string> {
  const { term, index } = init;
  const names = await readNames(context);
  const foreign = new Set(names.foreign);
  let unixMs = nextUnixMs(context, init, names);
  for (;; unixMs++) {
    const id = formatId({ term, index, unixMs: BigInt(unixMs) });
    const name = temporaryName({ id, state: "writing" });
    context.lastUnixMs = Math.max(context.lastUnixMs, unixMs);
    if (foreign.has(id)) continue;
    try {
      await context.fileSystem.makeDirectory(
        `${context.path}/${name}`,
        context.directoryMode,
      );
      return id;
    } catch (error) {
      if (systemCode(error) === "EEXIST") continue;
      // It may have been made all the same.
      await removeTemporary(context, name);
      throw error;
    }
  }
}

/** A time later than that of every ID of this term and index. */
function nextUnixMs(
  context: StoreContext,
  { term, index }: InitialMeta,
  { ids, temporary }: DirectoryNames,
): number {
  const now = Math.floor(context.clock());
  if (!Number.isSafeInteger(now)) {
    throw new RangeError(
      `Cannot make a snapshot ID: the clock says ${now}, expected milliseconds`,
    );
  }
  let latest = -1n;
  for (const id of [...ids, ...temporary.map((name) => name.id)]) {
    const parts = parseId(id);
    if (parts?.term !== term || parts.index !== index) continue;
    if (parts.unixMs > latest) latest = parts.unixMs;
  }
  const earliest = Math.max(now, Number(latest) + 1);
  const isTime = (ms: number) =>
    parseId(formatId({ term, index, unixMs: BigInt(ms) })) !== undefined;
  const next = Math.max(earliest, context.lastUnixMs + 1);
  if (isTime(next)) return next;
  // An ID from the end of time must not hold up other terms and indexes.
  if (isTime(earliest)) return earliest;
  throw new RangeError(
    `Cannot make a snapshot ID: no time is left after ${earliest - 1} ms`,
  );
}

/**
 * While names can't be made durable, nothing can be acknowledged. Whoever tries
 * again and again must not fill the disk with what can't be removed safely.
 */
async function settleNames(context: StoreContext): Promise<void> {
  if (!context.unacknowledged) return;
  await syncDirectory(context, context.path);
  context.unacknowledged = false;
}

/** From now on a caller may rely on this snapshot. */
function acknowledge(context: StoreContext, id: string): void {
  context.verdicts.set(id, true);
  context.marks.set(id, "none");
  // The sync was of the whole directory.
  context.unacknowledged = false;
  const known = context.newestAcknowledged;
  if (known === undefined || compareNewestFirst(id, known) < 0) {
    context.newestAcknowledged = id;
  }
}

/** A snapshot that is being written to a directory. */
class FileDraft implements Draft {
  readonly #context: StoreContext;
  readonly #files: DraftFiles;
  /** What is written: nobody else can change it, as they can what they see. */
  readonly #init: SnapshotMeta;
  readonly #writer: StateWriter;
  readonly #temporaryName: string;
  #meta: SnapshotMeta;
  #filesClosed = false;
  #makeExtra: MakeExtra | undefined;

  constructor(context: StoreContext, meta: SnapshotMeta, files: DraftFiles) {
    this.#context = context;
    this.#meta = meta;
    this.#init = structuredClone(meta);
    this.#files = files;
    this.#writer = new StateWriter(files.state, context.blockSize);
    this.#temporaryName = temporaryName({ id: meta.id, state: "writing" });
  }

  get meta(): SnapshotMeta {
    return this.#meta;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#writer.write(bytes)?.catch((error) => {
      throw this.#failure("write", error, false);
    });
  }

  addExtra(make: MakeExtra): void {
    this.#makeExtra = make;
  }

  async publish(): Promise<void> {
    const { path, fileSystem } = this.#context;
    const { id } = this.#init;
    let published = false;
    try {
      await this.#makeFilesDurable();
      try {
        const temporaryPath = `${path}/${this.#temporaryName}`;
        await fileSystem.rename(temporaryPath, `${path}/${id}`);
        published = true;
      } catch (error) {
        published = await this.#mayHaveFinalName();
        throw error;
      }
      // Survives: a power cut right after. Without it the snapshot could still
      // be found under its .tmp name, and the next start would sweep it away.
      await syncDirectory(this.#context, path);
      acknowledge(this.#context, id);
    } catch (error) {
      if (published) this.#context.unacknowledged = true;
      else await this.discard();
      throw this.#failure("publish", error, published);
    }
  }

  /** Everything in the `.tmp` directory is on disk when this resolves. */
  async #makeFilesDurable(): Promise<void> {
    const { meta, state, blocks } = this.#files;
    await this.#writer.finish();
    const { size, crc } = this.#writer;
    this.#meta = { ...this.#meta, size, crc };
    const metaBytes = encodeMeta({ ...this.#init, size, crc });
    const blockBytes = encodeBlocks({
      blockSize: this.#context.blockSize,
      stateSize: size,
      metaCrc: crc64(metaBytes),
      crcs: this.#writer.blockCrcs,
    });
    const path = `${this.#context.path}/${this.#temporaryName}`;
    // A longer one would not be read: the CRC of the whole has to do then.
    const hasBlocks = blockBytes.length <= BLOCKS_FILE_SIZE_MAX;
    if (!hasBlocks) {
      await this.#context.fileSystem.removeFile(`${path}/blocks.crc64`);
    }
    // Before the directory is synced: its name must be among those that are.
    await this.#writeExtra(path);
    // Side by side: a disk makes several durable in the time of one.
    await allSettled([
      // Survives: a power cut after the publication. Without it the state could
      // be cut short, or have holes of zeros.
      state.sync(),
      // Survives: the same. Without them meta.json could be empty or still the
      // provisional one, which is shorter, and the checksums could be cut off.
      writeAndSync(meta, metaBytes),
      ...(hasBlocks ? [writeAndSync(blocks, blockBytes)] : []),
      // Survives: a power cut after the publication. Without it the directory
      // could be there with its files' names missing from it.
      syncDirectory(this.#context, path),
      this.#requireFreeName(),
    ]);
    await this.#closeFiles();
  }

  async #writeExtra(path: string): Promise<void> {
    const extra = this.#makeExtra?.();
    if (extra === undefined) return;
    const { fileSystem, fileMode } = this.#context;
    const file = await fileSystem.open(
      `${path}/${extra.name}`,
      "create",
      fileMode,
    );
    // Survives: a power cut after the publication. Without it the file could be
    // empty or cut short, and a snapshot of Vault would have lost its seal.
    await withFile(file, () => writeAndSync(file, extra.bytes));
  }

  /**
   * POSIX replaces an empty directory without a word, where Go's rename, and
   * anyone's sense, refuses.
   */
  async #requireFreeName(): Promise<void> {
    const { path, fileSystem } = this.#context;
    const { id } = this.#init;
    if (!await exists(fileSystem, `${path}/${id}`)) return;
    throw new SnapshotPublishError(
      `Cannot publish snapshot ${id}: its name is taken`,
      { published: false },
    );
  }

  /** Whether a rename that reported a failure may have been done all the same. */
  async #mayHaveFinalName(): Promise<boolean> {
    const { path, fileSystem, leftovers } = this.#context;
    try {
      return !(await exists(fileSystem, `${path}/${this.#temporaryName}`)) &&
        await exists(fileSystem, `${path}/${this.#init.id}`);
    } catch {
      // Nobody can tell. If it was not done, the next reap clears up.
      leftovers.add(this.#temporaryName);
      return true;
    }
  }

  async discard(): Promise<void> {
    await this.#writer.stop();
    try {
      await this.#closeFiles();
    } catch (error) {
      this.#context.logger.warn(
        `Cannot close the files of snapshot ${this.#init.id}, ` +
          `which is being removed: ${describe(error)}`,
      );
    }
    await removeTemporary(this.#context, this.#temporaryName);
  }

  async #closeFiles(): Promise<void> {
    if (this.#filesClosed) return;
    this.#filesClosed = true;
    const { meta, state, blocks } = this.#files;
    await allSettled([meta.close(), state.close(), blocks.close()]);
  }

  #failure(doing: string, error: unknown, published: boolean): Error {
    if (error instanceof SnapshotPublishError) return error;
    return new SnapshotPublishError(
      `Cannot ${doing} snapshot ${this.#init.id}: ${describe(error)}`,
      { published, cause: error },
    );
  }
}
