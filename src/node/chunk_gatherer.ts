/**
 * Makes few large chunks of many small ones.
 *
 * @module
 */

/**
 * Gathers chunks in one buffer. Calls do not overlap: the caller waits for the
 * promise of `write()` before the next call.
 */
export class ChunkGatherer {
  readonly #write: (batch: Uint8Array) => Promise<void>;
  readonly #size: number;
  /** Made when it is first needed: there may be large chunks only. */
  #buffer: Uint8Array | undefined;
  #filled = 0;

  /** `write` has taken a batch over once it resolves; calls do not overlap. */
  constructor(size: number, write: (batch: Uint8Array) => Promise<void>) {
    this.#size = size;
    this.#write = write;
  }

  /** Takes a chunk over; returns `undefined` when that is done at once. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (chunk.length > this.#size - this.#filled) return this.#writeOn(chunk);
    this.#buffer ??= new Uint8Array(this.#size);
    this.#buffer.set(chunk, this.#filled);
    this.#filled += chunk.length;
    return undefined;
  }

  /** Passes the gathered bytes on. */
  async flush(): Promise<void> {
    if (this.#buffer === undefined || this.#filled === 0) return;
    const batch = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#write(batch);
  }

  async #writeOn(chunk: Uint8Array): Promise<void> {
    await this.flush();
    if (chunk.length >= this.#size) await this.#write(chunk);
    else await this.write(chunk);
  }
}
