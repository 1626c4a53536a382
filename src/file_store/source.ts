/**
 * The reading end of a snapshot as a web stream (`Open` in Go's
 * `file_snapshot.go`).
 *
 * @module
 */

import { Crc64CheckStream } from "../crc64/mod.ts";
import { SnapshotCorruptError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type {
  OpenOptions,
  SnapshotMeta,
  SnapshotSource,
  VerifyMode,
} from "../snapshot.ts";
import { checkState, readBlock } from "./check.ts";
import { type Abort, describe, type StoreContext } from "./context.ts";
import { openState, readMeta } from "./scan.ts";

const VERIFY_MODES: readonly VerifyMode[] = ["auto", "before", "stream"];

/** Opens a published snapshot; `id` must have passed the grammar. */
export async function openSource(
  context: StoreContext,
  id: string,
  options: OpenOptions,
): Promise<SnapshotSource> {
  const { verify = "auto", signal } = options;
  if (!VERIFY_MODES.includes(verify)) {
    throw new TypeError(
      `Cannot open snapshot ${id}: found verify ${String(verify)}, ` +
        `expected ${VERIFY_MODES.join(", ")}`,
    );
  }
  signal?.throwIfAborted();
  const meta = await readMetaJudged(context, id);
  const file = await openState(context, meta);
  try {
    // Go checks the whole, then hands out what it reads again, unchecked. Here
    // the second reading is checked as well.
    if (verify !== "stream") {
      await checkState(context, file, meta, signal ? { signal } : {});
    }
    signal?.throwIfAborted();
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  return makeSource(new StateReader(context, file, meta), options);
}

async function readMetaJudged(
  context: StoreContext,
  id: string,
): Promise<SnapshotMeta> {
  try {
    return await readMeta(context, id);
  } catch (error) {
    if (error instanceof SnapshotCorruptError) context.verdicts.set(id, false);
    throw error;
  }
}

function makeSource(
  reader: StateReader,
  { signal, onProgress }: OpenOptions,
): SnapshotSource {
  const { meta } = reader;
  const onAbort = () => void reader.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  reader.onEnd = () => signal?.removeEventListener("abort", onAbort);
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      reader.onAbort = (reason) => controller.error(reason);
    },
    pull: async (controller) => {
      const block = await reader.next();
      if (block !== undefined) {
        controller.enqueue(block);
        onProgress?.({ done: reader.position, total: meta.size });
      }
      if (reader.position === meta.size) {
        await reader.end();
        controller.close();
      }
    },
    cancel: () => reader.end(),
    // One block waits here while the next is checked: the disk reads ahead.
  }, { highWaterMark: 1 });
  const checked = stream.pipeThrough(
    new Crc64CheckStream({
      crc: meta.crc,
      size: meta.size,
      name: `state.bin of snapshot ${meta.id}`,
    }),
  );
  return Object.defineProperty(checked, "meta", {
    value: meta,
    enumerable: true,
  }) as SnapshotSource;
}

/** Reads `state.bin` from start to end, and closes it exactly once. */
class StateReader {
  readonly meta: SnapshotMeta;
  readonly #context: StoreContext;
  readonly #file: FileHandle;
  #position = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | undefined;
  /** Told that the source is to fail, with the reason. */
  onAbort: (reason: unknown) => void = () => {};
  /** Told that the file is being closed. */
  onEnd: () => void = () => {};

  constructor(context: StoreContext, file: FileHandle, meta: SnapshotMeta) {
    this.#context = context;
    this.#file = file;
    this.meta = meta;
    context.open.add(this.abort);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** The next block, which is the caller's to keep; none at the end. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { blockSize } = this.#context;
    const left = this.meta.size - this.#position;
    if (left === 0 || this.#ended !== undefined) return undefined;
    const buffer = new Uint8Array(Math.min(blockSize, left));
    const reading = readBlock(this.#file, this.meta, buffer, this.#position);
    this.#reading = reading;
    try {
      const block = await reading;
      this.#position += block.length;
      return block;
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Closes the file, once no read is under way. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** Makes the source fail, and closes the file. */
  readonly abort: Abort = async (reason) => {
    if (this.#ended === undefined) this.onAbort(reason);
    await this.end();
  };

  async #end(): Promise<void> {
    this.onEnd();
    await this.#reading.catch(() => {});
    try {
      await this.#file.close();
    } catch (error) {
      // Nothing was written: whoever reads has what they need.
      this.#context.logger.warn(
        `Cannot close state.bin of snapshot ${this.meta.id}: ${
          describe(error)
        }`,
      );
    } finally {
      this.#context.open.delete(this.abort);
    }
  }
}
