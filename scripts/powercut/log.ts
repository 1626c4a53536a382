/**
 * The requests that reach a disk, in order, and the disk after a power cut.
 *
 * @module
 */

import { Image } from "./image.ts";

/** Bytes of a disk. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** One request in the log of a disk, without the data. */
export type Entry =
  | Range & { readonly kind: "write" }
  /** All that was written before is durable. */
  | { readonly kind: "flush" }
  /** A request to the store, or its answer; see `marks.ts`. */
  | { readonly kind: "mark"; readonly mark: string };

/** A part of a write. */
export interface Piece {
  /** Which entry of the log it is of. */
  readonly entry: number;
  /** Its first byte in the write. */
  readonly from: number;
  readonly length: number;
}

/** A power cut. */
export interface Cut {
  /** How many entries of the log came before it. */
  readonly position: number;
  /** How many entries the last flush has made durable. */
  readonly durable: number;
  /** The parts of later writes that are kept. */
  readonly kept: readonly Piece[];
}

/** A disk that remembers every request. */
export class LoggedDisk {
  readonly #live: Image;
  readonly #entries: Entry[] = [];
  /** The data of the writes, by the number of the entry. */
  readonly #data = new Map<number, Uint8Array>();
  /** The disk as it was before, with the first entries written to it. */
  #replayed: { readonly image: Image; entries: number };
  readonly #initial: Image;

  constructor(initial: Image) {
    this.#initial = initial;
    this.#live = new Image(initial);
    this.#replayed = { image: new Image(initial), entries: 0 };
  }

  /** All requests so far. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#live.read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#live.write(offset, bytes);
    this.#data.set(this.#entries.length, bytes.slice());
    this.#entries.push({ kind: "write", offset, length: bytes.length });
  }

  flush(): void {
    this.#entries.push({ kind: "flush" });
  }

  mark(mark: string): void {
    this.#entries.push({ kind: "mark", mark });
  }

  /**
   * The disk as a power cut leaves it. It may be written to, and is valid until
   * the next call.
   */
  after({ durable, kept }: Cut): Image {
    if (durable < this.#replayed.entries) {
      this.#replayed = { image: new Image(this.#initial), entries: 0 };
    }
    const { image: replayed, entries } = this.#replayed;
    for (let entry = entries; entry < durable; entry++) {
      this.#write(replayed, { entry, from: 0, length: Infinity });
    }
    this.#replayed.entries = durable;
    const image = new Image(replayed);
    for (const piece of kept) this.#write(image, piece);
    return image;
  }

  #write(image: Image, { entry, from, length }: Piece): void {
    const request = this.#entries[entry];
    const data = this.#data.get(entry);
    if (request?.kind !== "write" || data === undefined) return;
    image.write(request.offset + from, data.subarray(from, from + length));
  }
}
