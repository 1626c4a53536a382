/**
 * The sizes that chunks had when they were handed over, until each is written.
 *
 * @module
 */

/** How many taken sizes may stay in the array before it is cut. */
const TAKEN_MAX = 1024;

/**
 * A first-in, first-out queue of sizes. A stream asks for the size of a chunk
 * when the caller writes it, and may pass it on much later: a buffer that was
 * transferred or shrunk between the two has lost bytes of the caller's.
 */
export class ChunkSizes {
  readonly #sizes: number[] = [];
  #taken = 0;

  /** Notes the size of a chunk that enters the stream's queue. */
  add(size: number): number {
    this.#sizes.push(size);
    return size;
  }

  /**
   * Takes the size of the next chunk.
   *
   * @throws {TypeError} when the chunk has another length by now.
   */
  take(length: number, target: string): void {
    const size = this.#sizes[this.#taken++];
    if (this.#taken === this.#sizes.length || this.#taken > TAKEN_MAX) {
      this.#sizes.splice(0, this.#taken);
      this.#taken = 0;
    }
    if (size !== length) throw chunkChanged(target, length, size);
  }
}

/** The error for a chunk whose length has changed. */
export function chunkChanged(
  target: string,
  found: number,
  expected: number | undefined,
): TypeError {
  return new TypeError(
    `Cannot write to ${target}: found a chunk of ${found} bytes, expected the ` +
      `${expected} that it had at write(); do not transfer or resize a buffer before ` +
      "write() has resolved",
  );
}
