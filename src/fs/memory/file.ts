/**
 * The content of a file in memory: the present bytes, the synced bytes, and the
 * changes between the two.
 *
 * @module
 */

import { countKept, type Persists } from "./crash_choice.ts";

/** The bytes that a disk writes atomically; a longer write may be torn. */
const BLOCK_SIZE = 4096;

/** A change that is not synced: the part of a write within one block. */
interface Change {
  /** The bytes written. */
  readonly bytes: Uint8Array;
  /** Where they were written. */
  readonly position: number;
  /** The file's length before and after. */
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

/** The end of the block that `position` is in. */
function blockEnd(position: number): number {
  return (Math.floor(position / BLOCK_SIZE) + 1) * BLOCK_SIZE;
}

/** Puts bytes into a content, as far as they lie inside. */
function overlay(content: Uint8Array, bytes: Uint8Array, at: number): void {
  if (at >= content.length) return;
  content.set(bytes.subarray(0, content.length - at), at);
}

function groupByBlock(changes: readonly Change[]): Iterable<Change[]> {
  const blocks = new Map<number, Change[]>();
  for (const change of changes) {
    const end = blockEnd(change.position);
    const block = blocks.get(end);
    if (block === undefined) blocks.set(end, [change]);
    else block.push(change);
  }
  return blocks.values();
}

/** A file without a name. */
export class MemoryFile {
  readonly kind = "file";
  /** Never changed in place, so that crashed copies may share it. */
  #synced: Uint8Array;
  #changes: Change[] = [];
  /** The present content, and room for more after it. */
  #buffer: Uint8Array;
  #size: number;

  /** Makes a file whose content is synced. */
  constructor(synced: Uint8Array = new Uint8Array()) {
    this.#synced = synced;
    this.#buffer = synced;
    this.#size = synced.length;
  }

  /** The length in bytes. */
  get size(): number {
    return this.#size;
  }

  /** A copy of the present content. */
  content(): Uint8Array {
    return this.#buffer.slice(0, this.#size);
  }

  /** As {@linkcode FileHandle.read}. */
  read(buffer: Uint8Array, position: number): number {
    const end = Math.min(position + buffer.length, this.#size);
    if (position >= end) return 0;
    buffer.set(this.#buffer.subarray(position, end));
    return end - position;
  }

  /** Writes all the bytes. */
  write(bytes: Uint8Array, position: number): void {
    const copy = bytes.slice();
    for (let start = 0; start < copy.length;) {
      const end = Math.min(blockEnd(position + start) - position, copy.length);
      this.#writePiece(copy.subarray(start, end), position + start);
      start = end;
    }
  }

  /** Puts another content in place of the present one, synced. */
  replace(content: Uint8Array): void {
    this.#synced = content;
    this.#changes = [];
    this.#buffer = content;
    this.#size = content.length;
  }

  /** Makes the present content the synced one. */
  sync(): void {
    if (this.#changes.length === 0) return;
    this.#synced = this.content();
    this.#changes = [];
  }

  /** The file as it may be found after a power cut. */
  crashed(persists: Persists): MemoryFile {
    if (this.#changes.length === 0) return new MemoryFile(this.#synced);
    const resizing = this.#changes.filter(
      ({ sizeBefore, sizeAfter }) => sizeBefore !== sizeAfter,
    );
    const kept = resizing.slice(0, countKept(resizing.length, persists));
    const content = new Uint8Array(
      kept.at(-1)?.sizeAfter ?? this.#synced.length,
    );
    overlay(content, this.#synced, 0);
    for (const block of groupByBlock(this.#changes)) {
      for (const change of block.slice(0, countKept(block.length, persists))) {
        overlay(content, change.bytes, change.position);
      }
    }
    return new MemoryFile(content);
  }

  #writePiece(bytes: Uint8Array, position: number): void {
    const sizeBefore = this.#size;
    const end = position + bytes.length;
    this.#reserve(end);
    this.#buffer.set(bytes, position);
    this.#size = Math.max(sizeBefore, end);
    const sizeAfter = this.#size;
    this.#changes.push({ bytes, position, sizeBefore, sizeAfter });
  }

  /** Makes room, and a buffer of our own. */
  #reserve(size: number): void {
    if (size <= this.#buffer.length && this.#buffer !== this.#synced) return;
    const roomy = new Uint8Array(Math.max(size, 2 * this.#buffer.length));
    roomy.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = roomy;
  }
}
