/**
 * The bytes of a disk, of which only the pages that are not zero are kept.
 *
 * @module
 */

const PAGE_BYTES = 4096;

/** A disk in memory, or the changes to another one that is left as it is. */
export class Image {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #below: Image | undefined;

  /** `below` is read where nothing has been written to this one. */
  constructor(below?: Image) {
    this.#below = below;
  }

  /** The bytes from `offset` on, zeros where nothing was ever written. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (const { page, start, from, to } of piecesOf(offset, length)) {
      const found = this.#page(page);
      if (found) bytes.set(found.subarray(start, start + to - from), from);
    }
    return bytes;
  }

  /** Takes a copy of the bytes. */
  write(offset: number, bytes: Uint8Array): void {
    for (const { page, start, from, to } of piecesOf(offset, bytes.length)) {
      this.#ownPage(page).set(bytes.subarray(from, to), start);
    }
  }

  #page(page: number): Uint8Array | undefined {
    const known = this.#pages.get(page);
    if (known !== undefined || this.#below === undefined) return known;
    return this.#below.#page(page);
  }

  #ownPage(page: number): Uint8Array {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const made = this.#page(page)?.slice() ?? new Uint8Array(PAGE_BYTES);
    this.#pages.set(page, made);
    return made;
  }
}

/** The pages that a range touches, with where each piece of it begins. */
function* piecesOf(offset: number, length: number): Generator<
  {
    readonly page: number;
    /** Where the piece begins in its page. */
    readonly start: number;
    /** Where it begins and ends in the range. */
    readonly from: number;
    readonly to: number;
  }
> {
  for (let from = 0; from < length;) {
    const start = (offset + from) % PAGE_BYTES;
    const to = Math.min(length, from + PAGE_BYTES - start);
    yield { page: Math.floor((offset + from) / PAGE_BYTES), start, from, to };
    from = to;
  }
}

/** Reads a disk from a file; pages of zeros are left out. */
export function readImage(path: string): { image: Image; size: number } {
  using file = Deno.openSync(path);
  const image = new Image();
  const buffer = new Uint8Array(256 * PAGE_BYTES);
  const words = new BigUint64Array(buffer.buffer);
  const wordsInPage = PAGE_BYTES / 8;
  let size = 0;
  for (;;) {
    const count = file.readSync(buffer) ?? 0;
    if (count === 0) return { image, size };
    buffer.fill(0, count);
    for (let start = 0; start < count; start += PAGE_BYTES) {
      const first = start / 8;
      if (words.subarray(first, first + wordsInPage).every((word) => !word)) {
        continue;
      }
      image.write(size + start, buffer.subarray(start, start + PAGE_BYTES));
    }
    size += count;
  }
}
