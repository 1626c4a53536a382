/**
 * Reads `state.bin` in blocks, ahead of whoever takes them.
 *
 * @module
 */

import { SnapshotCorruptError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import type { ByteRange } from "./block_checker.ts";
import { readBlock } from "./check.ts";
import { type Abort, describe, type StoreContext } from "./context.ts";

/**
 * Reads that are under way at a time. Most of what a read costs is new memory,
 * which the system hands out page by page: two threads do it twice as fast.
 */
const READS_AHEAD = 2;

/** Reads a range of `state.bin` block by block, and closes it exactly once. */
export class StateReader {
  /** The snapshot that is being read. */
  readonly meta: SnapshotMeta;
  readonly #context: StoreContext;
  readonly #file: FileHandle;
  readonly #range: ByteRange;
  readonly #blockSize: number;
  /** The reads that are under way, in the order of their blocks. */
  readonly #reading: Promise<Uint8Array<ArrayBuffer>>[] = [];
  /** Where the next read begins. */
  #ahead: number;
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
    this.#ahead = range.start;
    this.#position = range.start;
    this.#blockSize = blockSize;
    context.open.add(this.abort);
  }

  /** Bytes handed out so far. */
  get done(): number {
    return this.#position - this.#range.start;
  }

  /** Whether everything has been handed out. */
  get isAtEnd(): boolean {
    return this.#position === this.#range.end;
  }

  /** The next block, which is the caller's to keep; none at the end. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#ended !== undefined) return undefined;
    this.#readAhead();
    const reading = this.#reading[0];
    if (reading === undefined) return undefined;
    try {
      const block = await reading;
      this.#reading.shift();
      this.#position += block.length;
      this.#readAhead();
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

  #readAhead(): void {
    const { end } = this.#range;
    while (
      this.#reading.length < READS_AHEAD && this.#ahead < end &&
      this.#ended === undefined
    ) {
      const length = Math.min(this.#blockSize, end - this.#ahead);
      const buffer = new Uint8Array(length);
      const read = readBlock(this.#file, this.meta, buffer, this.#ahead);
      // Awaited when its turn comes; until then it is not "unhandled".
      read.catch(() => {});
      this.#reading.push(read);
      this.#ahead += length;
    }
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#reading);
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
