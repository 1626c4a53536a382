/**
 * The state of a snapshot in memory.
 *
 * @module
 */

import type { StateHandle } from "../../backend/backend.ts";

/** A part of a state, as it was appended. */
interface Piece {
  /** Where it begins, in bytes from the start of the state. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Bytes in the pieces in which they were appended. */
export class MemoryState {
  readonly #pieces: Piece[] = [];
  #size = 0;

  /** The number of bytes. */
  get size(): number {
    return this.#size;
  }

  /** Appends a copy of the bytes. */
  append(bytes: Uint8Array): void {
    this.#pieces.push({ start: this.#size, bytes: bytes.slice() });
    this.#size += bytes.length;
  }

  /** Opens it; a removal of the snapshot does not disturb the reader. */
  open(): StateHandle {
    return {
      size: this.#size,
      read: (buffer, position) => Promise.resolve(this.#read(buffer, position)),
      close: () => Promise.resolve(),
    };
  }

  #read(buffer: Uint8Array, position: number): number {
    const piece = this.#pieceAt(position);
    if (piece === undefined) return 0;
    const from = position - piece.start;
    const part = piece.bytes.subarray(from, from + buffer.length);
    buffer.set(part);
    return part.length;
  }

  /** The piece that has the byte, by binary search. */
  #pieceAt(position: number): Piece | undefined {
    let [low, high] = [0, this.#pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { start, bytes } = this.#pieces[middle] as Piece;
      if (position < start) high = middle;
      else if (position >= start + bytes.length) low = middle + 1;
      else return this.#pieces[middle];
    }
    return undefined;
  }
}
