/**
 * Reads the state of a snapshot in runs of blocks, one ahead of the consumer.
 *
 * @module
 */

import type { StateHandle } from "../backend/backend.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import type { StoreParts } from "./parts.ts";
import type { SourceReader } from "./source.ts";
import { readBlock } from "./state.ts";

/**
 * Blocks that are read, and handed out, together. Each read is handed to a
 * thread and back, and each chunk goes through several promises. Two blocks of
 * 1 MiB halve that cost; more blocks make no measurable difference.
 */
const BLOCKS_PER_RUN = 2;

/** The range to read, and how to read it. */
export interface StateRange extends ByteRange {
  /** Bytes of a block; a run holds whole blocks. */
  readonly blockSize: number;
  /** Whether to read again into buffers that are given back. */
  readonly reuseBuffers?: boolean | undefined;
}

/**
 * Reads a range of a state, and closes it exactly once. While the consumer
 * checks a run, the next one is being read. The read takes longer than the
 * check, so the check costs almost no time.
 */
export class StateReader implements SourceReader {
  readonly #report: StoreParts["report"];
  readonly #handle: StateHandle;
  readonly #meta: SnapshotMeta;
  readonly #end: number;
  /** Length of a run in bytes; the last may be shorter. */
  readonly #runSize: number;
  /** Buffers of that length that no consumer uses any more. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  /** The read that is under way, or whose result waits for the consumer. */
  #reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #position: number;
  #ended: Promise<void> | undefined;
  /** See {@linkcode SourceReader.release}; only where buffers are reused. */
  readonly release?: (chunk: Uint8Array<ArrayBuffer>) => void;

  constructor(
    { report }: Pick<StoreParts, "report">,
    handle: StateHandle,
    meta: SnapshotMeta,
    { start, end, blockSize, reuseBuffers = false }: StateRange,
  ) {
    this.#report = report;
    this.#handle = handle;
    this.#meta = meta;
    this.#position = start;
    this.#end = end;
    this.#runSize = BLOCKS_PER_RUN * blockSize;
    if (reuseBuffers) this.release = ({ buffer }) => this.#keep(buffer);
  }

  /** Whether everything has been handed out. */
  get isAtEnd(): boolean {
    return this.#position === this.#end;
  }

  /**
   * The next run, which the caller owns until it releases it; `undefined` at
   * the end.
   */
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

  /** Closes the state; a read that is under way ends soon. */
  end(): Promise<void> {
    this.#ended ??= this.#close();
    this.#free.length = 0;
    return this.#ended;
  }

  #read(): Promise<Uint8Array<ArrayBuffer>> {
    const left = this.#end - this.#position;
    const length = Math.min(this.#runSize, left);
    // Safe however many chunks the streams hold: a buffer that has not been
    // released is not here, and a new one is made.
    const buffer = this.#free.pop()?.subarray(0, length) ??
      new Uint8Array(length);
    return readBlock(this.#handle, this.#meta, buffer, this.#position);
  }

  #keep(buffer: ArrayBuffer): void {
    // The consumer may have transferred it; the last one may be shorter.
    const isWhole = buffer.byteLength === this.#runSize;
    if (isWhole && this.#ended === undefined) {
      this.#free.push(new Uint8Array(buffer));
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      // Nothing was written, and the reader has its bytes already.
      const { id } = this.#meta;
      this.#report({ type: "failed", operation: "close", id, error });
    }
  }
}
