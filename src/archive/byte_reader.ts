/**
 * Reads a stream of chunks of any size by the byte.
 *
 * @module
 */

/** Gives the next chunk, or `undefined` at the end. */
export type NextChunk = () => Promise<Uint8Array | undefined>;

/** Takes bytes from a stream, and counts them. */
export class ByteReader {
  readonly #next: NextChunk;
  #chunk: Uint8Array = new Uint8Array(0);
  /** How much of the chunk has been taken. */
  #taken = 0;
  #position = 0;

  constructor(next: NextChunk) {
    this.#next = next;
  }

  /** How many bytes have been taken in all. */
  get position(): number {
    return this.#position;
  }

  /** The next `length` bytes, or fewer at the end; for small lengths. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const some = await this.takeSome(length - filled);
      if (some === undefined) break;
      bytes.set(some, filled);
      filled += some.length;
    }
    return bytes.subarray(0, filled);
  }

  /**
   * The next bytes as they arrive, without a copy: 1 to `most`, or `undefined`
   * at the end.
   */
  async takeSome(most = Infinity): Promise<Uint8Array | undefined> {
    while (this.#taken === this.#chunk.length) {
      const chunk = await this.#next();
      if (chunk === undefined) return undefined;
      this.#chunk = chunk;
      this.#taken = 0;
    }
    const some = this.#chunk.subarray(this.#taken, this.#taken + most);
    this.#taken += some.length;
    this.#position += some.length;
    return some;
  }

  /**
   * Bytes that have arrived and are not taken yet; takes none and does not
   * wait.
   */
  atHand(most: number): Uint8Array {
    return this.#chunk.subarray(this.#taken, this.#taken + most);
  }

  /** Gives back the last bytes that `takeSome()` took. */
  giveBack(count: number): void {
    this.#taken -= count;
    this.#position -= count;
  }
}
