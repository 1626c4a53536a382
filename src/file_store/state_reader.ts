/**
 * Reads `state.bin` in runs of blocks, one ahead of whoever takes them.
 *
 * @module
 */

import { SnapshotCorruptError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { readBlock } from "./check.ts";
import type { Abort, StoreContext } from "./context.ts";

/**
 * Blocks that are read, and handed out, together. Each read is handed to a
 * thread and back, and each chunk goes through several promises: with two blocks
 * of 1 MiB that is paid half as often, and more bring nothing.
 */
const BLOCKS_PER_RUN = 2;

/**
 * Reads a range of `state.bin`, and closes it exactly once. While the one who
 * asked for a run checks it, the next one is being read: that takes the thread
 * longer than the check, which so costs next to no time.
 */
export class StateReader {
  /** The snapshot that is being read. */
  readonly meta: SnapshotMeta;
  readonly #context: StoreContext;
  readonly #file: FileHandle;
  readonly #range: ByteRange;
  /** Length of a run in bytes; the last may be shorter. */
  readonly #runSize: number;
  /** The read that is under way, or waits to be asked for. */
  #reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #position: number;
  #ended: Promise<void> | undefined;
  /** Told that the source is to fail, with the reason. */
  onAbort: (reason: unknown) => void = () => {};

  constructor(
    context: StoreContext,
    file: FileHandle,
    meta: SnapshotMeta,
    range: ByteRange,
    blockSize: number,
  ) {
    this.#context = context;
    this.#file = file;
    this.meta = meta;
    this.#range = range;
    this.#position = range.start;
    this.#runSize = BLOCKS_PER_RUN * blockSize;
    context.open.add(this.abort);
  }

  /** Whether everything has been handed out. */
  get isAtEnd(): boolean {
    return this.#position === this.#range.end;
  }

  /** The next run, which is the caller's to keep; none at the end. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#ended !== undefined || this.isAtEnd) return undefined;
    try {
      this.#reading ??= this.#read();
      const run = await this.#reading;
      this.#reading = undefined;
      this.#position += run.length;
      if (!this.isAtEnd && this.#ended === undefined) {
        this.#reading = this.#read();
        // Awaited when its turn comes; until then it is not "unhandled".
        this.#reading.catch(() => {});
      }
      return run;
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
    this.onAbort(reason);
    await this.end();
  };

  /** Everything has been handed out, or nothing more will be. */
  async settle(error: unknown): Promise<void> {
    const { open, verdicts } = this.#context;
    open.delete(this.abort);
    // What was good when it was written may have gone bad: look again.
    if (error instanceof SnapshotCorruptError) verdicts.delete(this.meta.id);
    await this.end();
  }

  #read(): Promise<Uint8Array<ArrayBuffer>> {
    const left = this.#range.end - this.#position;
    const buffer = new Uint8Array(Math.min(this.#runSize, left));
    return readBlock(
      this.#context,
      this.#file,
      this.meta,
      buffer,
      this.#position,
    );
  }

  async #end(): Promise<void> {
    // The file must not be closed under a read.
    await this.#reading?.catch(() => {});
    try {
      await this.#file.close();
    } catch (error) {
      // Nothing was written: whoever reads has what they need.
      this.#context.logger.warn(
        `Cannot close state.bin of snapshot ${this.meta.id}: ${
          describe(error)
        }`,
      );
    }
  }
}
