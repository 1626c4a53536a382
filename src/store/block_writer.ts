/**
 * Gathers the state of a new snapshot into whole blocks, and computes their CRCs
 * while the backend writes.
 *
 * @module
 */

import type { PendingSnapshot } from "../backend/backend.ts";
import { combineCrc64, Crc64, crc64 } from "../crc64/mod.ts";
import { SnapshotError } from "../errors.ts";
import { CrcList } from "../snapshot/block_checksums.ts";
import { chunkChanged } from "./chunk_sizes.ts";

/**
 * A shorter state gets less than a whole block: to clear that much memory would
 * take longer than to make such a snapshot durable.
 */
const SHORT_STATE_BYTES = 64 * 1024;

/**
 * So many bytes of small chunks have their CRC computed at a time, while they are
 * still in the cache of the core that has copied them. A whole block is not.
 */
const SUM_BYTES = 64 * 1024;

/**
 * Gathers chunks of any size into blocks: large writes are several times faster
 * than small ones. Two blocks are held at most, one that fills up while the
 * other is on its way to the backend; each is made when it is needed.
 */
export class BlockWriter {
  readonly #blockSize: number;
  readonly #pending: Pick<PendingSnapshot, "append">;
  readonly #blockCrcs = new CrcList();
  #crc = 0n;
  #block = new Uint8Array();
  #spare = new Uint8Array();
  #filled = 0;
  /** Of the first `#summed` bytes of the block. */
  readonly #blockCrc = new Crc64();
  #summed = 0;
  #size = 0;
  /** The pending write, which owns `#spare` until it has settled. */
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;
  #isDirect = false;

  constructor(pending: Pick<PendingSnapshot, "append">, blockSize: number) {
    this.#pending = pending;
    this.#blockSize = blockSize;
  }

  /** Bytes given to the backend so far. */
  get size(): number {
    return this.#size;
  }

  /** The CRC of those bytes. */
  get crc(): bigint {
    return this.#crc;
  }

  /** The CRC of each block of those bytes. */
  get blockCrcs(): BigUint64Array {
    return this.#blockCrcs.toArray();
  }

  /**
   * Gives whole blocks to the backend as they come, without a copy. `write()`
   * then waits for the backend, so it is for callers that have the next bytes
   * made meanwhile; others gain more when they can go on.
   */
  writeDirectly(): void {
    this.#isDirect = true;
  }

  /**
   * Takes the bytes over; the caller may reuse them once it resolves, or at once
   * when there is nothing to wait for: a promise for each of many small chunks
   * would cost more than the chunk. Calls must not overlap.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const isRoom = bytes.length < this.#block.length - this.#filled;
    if (!isRoom) return this.#writeAcross(bytes);
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (this.#filled - this.#summed >= SUM_BYTES) this.#sum();
    return undefined;
  }

  /** Takes bytes over that fill the block, or more than one. */
  async #writeAcross(bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    let taken = 0;
    while (taken < length) {
      // While a block was being written, the caller could transfer or shrink the
      // buffer: missing bytes must be detected.
      if (bytes.length !== length) {
        throw chunkChanged("the state", bytes.length, length);
      }
      const whole = this.#wholeBlocks(length - taken);
      if (whole > 0) {
        await this.#writeWhole(bytes.subarray(taken, taken + whole));
        taken += whole;
        continue;
      }
      this.#makeRoom(length - taken);
      const room = this.#block.length - this.#filled;
      const part = bytes.subarray(taken, taken + room);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#block.length) await this.#flush();
    }
  }

  /** How many of the next bytes are whole blocks that need no copy. */
  #wholeBlocks(length: number): number {
    if (!this.#isDirect || this.#filled > 0) return 0;
    return length - length % this.#blockSize;
  }

  /** Makes a longer block when this one is not whole and would be full. */
  #makeRoom(more: number): void {
    const needed = this.#filled + more;
    const isLongEnough = needed < this.#block.length;
    if (isLongEnough || this.#block.length === this.#blockSize) return;
    const size = needed < SHORT_STATE_BYTES ? 2 * needed : this.#blockSize;
    const block = new Uint8Array(Math.min(size, this.#blockSize));
    block.set(this.#block.subarray(0, this.#filled));
    this.#block = block;
  }

  /** Writes the rest, and waits until the backend has everything. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
  }

  /** Stops further writes, also the rest of a chunk that is half written. */
  stop(): void {
    this.#stopped = true;
  }

  /** Writes the bytes of the block. */
  async #flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    await this.#append(block);
    // Another thread writes while this one computes.
    this.#sum();
    const crc = this.#blockCrc.digest();
    this.#blockCrc.reset();
    this.#summed = 0;
    this.#note(crc, block.length);
    [this.#block, this.#spare] = [this.#spare, this.#block];
    this.#filled = 0;
  }

  /** Writes whole blocks, and waits, because their bytes are the caller's. */
  async #writeWhole(blocks: Uint8Array): Promise<void> {
    await this.#append(blocks);
    // Another thread writes while this one computes.
    for (let start = 0; start < blocks.length; start += this.#blockSize) {
      const block = blocks.subarray(start, start + this.#blockSize);
      this.#note(crc64(block), block.length);
    }
    await this.#writing;
  }

  /** Begins to write; the last write has ended then. */
  async #append(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    // The snapshot may be discarded by now.
    if (this.#stopped) {
      throw new SnapshotError(
        "Cannot write any more: the snapshot was given up",
      );
    }
    this.#writing = this.#pending.append(bytes);
    // Awaited at the next write; until then its failure is not "unhandled".
    this.#writing.catch(() => {});
  }

  /** Adds a block to the checksums. */
  #note(crc: bigint, length: number): void {
    this.#blockCrcs.push(crc);
    this.#crc = combineCrc64(this.#crc, crc, length);
    this.#size += length;
  }

  /**
   * Computes the CRC of the bytes that were added to the block since the last
   * call.
   */
  #sum(): void {
    this.#blockCrc.update(this.#block.subarray(this.#summed, this.#filled));
    this.#summed = this.#filled;
  }
}
