/**
 * A snapshot that is being written, in its `.tmp` directory, until it is
 * published or discarded. The order of the steps is what makes it durable; see
 * docs/durability.md.
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import { SnapshotPublishError, systemCode } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type { InitialMeta } from "../init.ts";
import { META_SIZE_MAX } from "../meta/decode.ts";
import { encodeMeta } from "../meta/encode.ts";
import type { Draft } from "../sink.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import {
  allSettled,
  describe,
  type StoreContext,
  syncDirectory,
} from "./context.ts";
import { exists, writeFile } from "./files.ts";
import { BLOCKS_FILE_SIZE_MAX, encodeBlocks } from "./blocks.ts";
import { compareNewestFirst, formatId, parseId, temporaryName } from "./ids.ts";
import { removeTemporary } from "./remove.ts";
import { readNames } from "./scan.ts";
import { StateWriter } from "./state_writer.ts";

/** Makes the `.tmp` directory of a new snapshot and opens its files. */
export async function createDraft(
  context: StoreContext,
  init: InitialMeta,
): Promise<Draft> {
  await settleNames(context);
  const id = await makeTemporaryDirectory(context, init);
  try {
    const meta = { ...init, id };
    const path = `${context.path}/${temporaryName({ id, state: "writing" })}`;
    // As Go does: who looks into a .tmp sees what it was going to be.
    const provisional = encodeProvisionalMeta(meta);
    await writeFile(context, `${path}/meta.json`, provisional);
    const state = await context.fileSystem.open(
      `${path}/state.bin`,
      "create",
      context.fileMode,
    );
    return new FileDraft(context, meta, state);
  } catch (error) {
    await removeTemporary(context, temporaryName({ id, state: "writing" }));
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
  let unixMs = await nextUnixMs(context, init);
  for (;; unixMs++) {
    const id = formatId({ term, index, unixMs: BigInt(unixMs) });
    const name = temporaryName({ id, state: "writing" });
    context.lastUnixMs = Math.max(context.lastUnixMs, unixMs);
    if (await exists(context.fileSystem, `${context.path}/${id}`)) continue;
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
async function nextUnixMs(
  context: StoreContext,
  { term, index }: InitialMeta,
): Promise<number> {
  const now = Math.floor(context.clock());
  if (!Number.isSafeInteger(now)) {
    throw new RangeError(
      `Cannot make a snapshot ID: the clock says ${now}, expected milliseconds`,
    );
  }
  const { ids, temporary } = await readNames(context);
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

/** The metadata as Go writes it before the state is there. */
function encodeProvisionalMeta(meta: SnapshotMeta): Uint8Array {
  const bytes = encodeMeta({ ...meta, crc: null });
  // The final one has a few digits more. Nobody would read what is too long.
  if (bytes.length + 64 <= META_SIZE_MAX) return bytes;
  throw new RangeError(
    `Cannot create a snapshot: its meta.json has ${bytes.length} bytes, ` +
      `expected at most ${META_SIZE_MAX - 64}`,
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
  readonly #state: FileHandle;
  readonly #writer: StateWriter;
  readonly #temporaryName: string;
  #meta: SnapshotMeta;
  #stateClosed = false;

  constructor(context: StoreContext, meta: SnapshotMeta, state: FileHandle) {
    this.#context = context;
    this.#meta = meta;
    this.#state = state;
    this.#writer = new StateWriter(state, context.blockSize);
    this.#temporaryName = temporaryName({ id: meta.id, state: "writing" });
  }

  get meta(): SnapshotMeta {
    return this.#meta;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(bytes);
    } catch (error) {
      throw this.#failure("write", error, false);
    }
  }

  async publish(): Promise<void> {
    const { path } = this.#context;
    const { id } = this.#meta;
    let renamed = false;
    try {
      await this.#makeFilesDurable();
      await this.#rename();
      renamed = true;
      // Survives: a power cut right after. Without it the snapshot could still
      // be found under its .tmp name, and the next start would sweep it away.
      await syncDirectory(this.#context, path);
      acknowledge(this.#context, id);
    } catch (error) {
      renamed ||= await this.#hasFinalName();
      if (renamed) this.#context.unacknowledged = true;
      else await this.discard();
      throw this.#failure("publish", error, renamed);
    }
  }

  /** Everything in the `.tmp` directory is on disk when this resolves. */
  async #makeFilesDurable(): Promise<void> {
    const temporaryPath = `${this.#context.path}/${this.#temporaryName}`;
    await this.#writer.finish();
    this.#meta = {
      ...this.#meta,
      size: this.#writer.size,
      crc: this.#writer.crc,
    };
    await allSettled([
      // Survives: a power cut after the publication. Without it the state could
      // be cut short, or have holes of zeros.
      this.#state.sync(),
      ...this.#writeFinalFiles(temporaryPath),
    ]);
    await this.#closeState();
    // Survives: a power cut after the publication. Without it the directory
    // could be there with its files' names missing from it.
    await syncDirectory(this.#context, temporaryPath);
  }

  /** What tells a reader that the state is whole. */
  #writeFinalFiles(path: string): Promise<void>[] {
    const meta = encodeMeta(this.#meta);
    const blocks = encodeBlocks({
      blockSize: this.#context.blockSize,
      stateSize: this.#meta.size,
      metaCrc: crc64(meta),
      crcs: this.#writer.blockCrcs,
    });
    // Survives: a power cut after the publication. Without it meta.json could
    // be empty or still the provisional one, and the checksums cut off.
    const options = { sync: true };
    const writing = [
      writeFile(this.#context, `${path}/meta.json`, meta, options),
    ];
    // A longer one would not be read: the CRC of the whole has to do then.
    if (blocks.length <= BLOCKS_FILE_SIZE_MAX) {
      writing.push(
        writeFile(this.#context, `${path}/blocks.crc64`, blocks, options),
      );
    }
    return writing;
  }

  async #rename(): Promise<void> {
    const { path, fileSystem } = this.#context;
    const { id } = this.#meta;
    // POSIX replaces an empty directory without a word, where Go's rename, and
    // anyone's sense, refuses.
    if (await exists(fileSystem, `${path}/${id}`)) {
      throw new SnapshotPublishError(
        `Cannot publish snapshot ${id}: its name is taken`,
        { published: false },
      );
    }
    await fileSystem.rename(`${path}/${this.#temporaryName}`, `${path}/${id}`);
  }

  /** Whether a rename that reported a failure was done all the same. */
  async #hasFinalName(): Promise<boolean> {
    const { path, fileSystem } = this.#context;
    try {
      return !(await exists(fileSystem, `${path}/${this.#temporaryName}`)) &&
        await exists(fileSystem, `${path}/${this.#meta.id}`);
    } catch {
      return false;
    }
  }

  async discard(): Promise<void> {
    await this.#writer.stop();
    try {
      await this.#closeState();
    } catch (error) {
      this.#context.logger.warn(
        `Cannot close state.bin of snapshot ${this.#meta.id}, ` +
          `which is being removed: ${describe(error)}`,
      );
    }
    await removeTemporary(this.#context, this.#temporaryName);
  }

  async #closeState(): Promise<void> {
    if (this.#stateClosed) return;
    this.#stateClosed = true;
    await this.#state.close();
  }

  #failure(doing: string, error: unknown, published: boolean): Error {
    if (error instanceof SnapshotPublishError) return error;
    return new SnapshotPublishError(
      `Cannot ${doing} snapshot ${this.#meta.id}: ${describe(error)}`,
      { published, cause: error },
    );
  }
}
