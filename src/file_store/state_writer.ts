/**
 * Writes `state.bin` in whole blocks, and computes their CRCs while the system
 * writes.
 *
 * @module
 */

import { chunkChanged } from "../store/chunk_sizes.ts";
import { combineCrc64, crc64 } from "../crc64/mod.ts";
import { SnapshotError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import { CrcList } from "../snapshot/block_checksums.ts";
import { writeFully } from "../fs/io.ts";

/**
 * Bytes after which the disk is told to begin. The system would let it idle
 * until the end, and then make everybody wait for all of it.
 */
const SYNC_INTERVAL = 64 * 1024 * 1024;

/**
 * Gathers chunks of any size into blocks: large writes are several times faster
 * than small ones. Two blocks are held at most, one that fills up while the
 * other is on its way to the disk.
 */
export class StateWriter {
  readonly #file: FileHandle;
  readonly #blockCrcs = new CrcList();
  #crc = 0n;
  #block: Uint8Array;
  #spare: Uint8Array;
  #filled = 0;
  #position = 0;
  /** The write that is under way; it owns `#spare` until it has settled. */
  #writing: Promise<void> = Promise.resolve();
  /** The early sync that is under way, or was the last. */
  #syncing: Promise<void> = Promise.resolve();
  #syncState: "idle" | "running" | "failed" = "idle";
  /** Where the state ended when that one began. */
  #syncedTo = 0;
  #stopped = false;

  constructor(file: FileHandle, blockSize: number) {
    this.#file = file;
    this.#block = new Uint8Array(blockSize);
    this.#spare = new Uint8Array(blockSize);
  }

  /** Bytes given to the system so far. */
  get size(): number {
    return this.#position;
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
   * Takes the bytes over; the caller may reuse them once it resolves, or at once
   * when there is nothing to wait for: a promise for each of many small chunks
   * would cost more than the chunk. Calls must not overlap.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const isRoom = bytes.length < this.#block.length - this.#filled;
    if (!isRoom) return this.#writeAcross(bytes);
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
    return undefined;
  }

  /** Takes bytes over that fill the block, or more than one. */
  async #writeAcross(bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    let taken = 0;
    while (taken < length) {
      // While a block was on its way to the disk, the caller could transfer or
      // shrink the buffer: what is missing then must not go unnoticed.
      if (bytes.length !== length) {
        throw chunkChanged("the state", bytes.length, length);
      }
      const room = this.#block.length - this.#filled;
      const part = bytes.subarray(taken, taken + room);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#block.length) await this.#flush();
    }
  }

  /** Writes out what is left, and waits until the system has everything. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
    await this.#syncing;
  }

  /**
   * Begins no further write, also not of a chunk that is half written; resolves,
   * never rejects, when nothing is under way any more.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#syncState === "failed") await this.#syncing;
    // The file may be closed by now, and its descriptor another file's.
    if (this.#stopped) throw new SnapshotError("Cannot write on: given up");
    const block = this.#block.subarray(0, this.#filled);
    this.#writing = writeFully(this.#file, block, this.#position);
    // Awaited at the next flush; until then its failure is not "unhandled".
    this.#writing.catch(() => {});
    // The system writes in a thread of its own while this one computes.
    const crc = crc64(block);
    this.#blockCrcs.push(crc);
    this.#crc = combineCrc64(this.#crc, crc, block.length);
    this.#position += block.length;
    [this.#block, this.#spare] = [this.#spare, this.#block];
    this.#filled = 0;
    if (this.#position - this.#syncedTo >= SYNC_INTERVAL) this.#syncEarly();
  }

  /**
   * Survives nothing: that is what the sync of the whole file is for, which has
   * less left to do. But the system tells of what it has lost only once, so a
   * failure here is the end of the snapshot.
   */
  #syncEarly(): void {
    if (this.#syncState !== "idle") return;
    this.#syncState = "running";
    this.#syncedTo = this.#position;
    this.#syncing = this.#file.sync();
    this.#syncing.then(
      () => this.#syncState = "idle",
      () => this.#syncState = "failed",
    );
  }
}
