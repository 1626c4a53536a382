/**
 * Reads the body of an answer in the way that costs this runtime least.
 *
 * @module
 */

import { deno } from "./deno.ts";

/** Stays in the cache of a core, from which the bytes are copied at once. */
const BUFFER_BYTES = 256 * 1024;

/** An empty body needs some room, too, to be found empty. */
const BUFFER_BYTES_MIN = 1024;

/** Reads a body. */
export interface BodyReader {
  /**
   * The next bytes, which are valid until the next call; `undefined` at the end.
   */
  read(): Promise<Uint8Array | undefined>;
  /** Gives the rest up. */
  cancel(reason: unknown): Promise<void>;
}

/**
 * Takes a body over. On Deno it is read into one buffer, again and again:
 * otherwise its `fetch` allocates 64 KiB for each chunk, and a transfer takes
 * half as much processor time again. Node would copy what it has received into
 * the buffer, so its own chunks are handed over. Bun has no such reader. `length`
 * is that of the body, if known: a list of snapshots reads thousands of short
 * ones, and to allocate a large buffer takes longer than all else of a request.
 */
export function readBody(
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
): BodyReader {
  if (deno !== undefined) {
    try {
      return new ReusingReader(body.getReader({ mode: "byob" }), length);
    } catch {
      // The caller's own `fetch` may have made another kind of stream.
    }
  }
  const reader = body.getReader();
  return {
    read: async () => (await reader.read()).value,
    cancel: (reason) => reader.cancel(reason),
  };
}

class ReusingReader implements BodyReader {
  readonly #reader: ReadableStreamBYOBReader;
  #buffer: ArrayBuffer;

  constructor(
    reader: ReadableStreamBYOBReader,
    length: number | undefined = BUFFER_BYTES,
  ) {
    this.#reader = reader;
    const size = Math.max(BUFFER_BYTES_MIN, Math.min(length, BUFFER_BYTES));
    this.#buffer = new ArrayBuffer(size);
  }

  async read(): Promise<Uint8Array | undefined> {
    const view = new Uint8Array(this.#buffer);
    const { done, value } = await this.#reader.read(view);
    // The stream has transferred the buffer, and gives it back.
    if (value !== undefined) this.#buffer = value.buffer;
    return done ? undefined : value;
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }
}
