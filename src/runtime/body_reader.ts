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
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  length: number | undefined,
): BodyReader {
  // The caller's own `fetch` may have made another kind of stream.
  if (!isByteStream(body)) return readChunks(body.getReader(), () => {});
  return deno === undefined
    ? readChunks(body.getReader(), free)
    : new ReusingReader(body.getReader({ mode: "byob" }), length);
}

function isByteStream(body: ReadableStream): boolean {
  try {
    body.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** Hands the stream's own chunks over; releases each at the next read. */
function readChunks(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  release: (chunk: Uint8Array<ArrayBuffer>) => void,
): BodyReader {
  let last: Uint8Array<ArrayBuffer> | undefined;
  return {
    async read() {
      if (last !== undefined) release(last);
      ({ value: last } = await reader.read());
      return last;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** A closed port; `null` where there are no ports, as in some test runners. */
let nowhere: MessagePort | null | undefined;

/**
 * Frees the memory of a chunk at once. Otherwise a transfer leaves as many bytes
 * as it has to the garbage collector, and Node then marks its whole heap again
 * and again, because so much is held outside of it. Only for chunks of a byte
 * stream: it has taken their buffers from their maker, so that no other object
 * has them.
 *
 * A message takes its buffers along (HTML, "message port post message steps"),
 * and one to a closed port goes nowhere. `ArrayBuffer.prototype.transfer()` could
 * do the same, but Node 20 does not have it.
 */
function free({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (nowhere === undefined) nowhere = closedPort();
  if (buffer.byteLength > 0) nowhere?.postMessage(undefined, [buffer]);
}

function closedPort(): MessagePort | null {
  if (typeof MessageChannel === "undefined") return null;
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return port1;
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
