/**
 * Deflate (RFC 1951) by `node:zlib`, which Deno, Bun and Node all implement.
 *
 * Why not `CompressionStream` and `DecompressionStream`: the first has no level
 * 0. The second accepts bytes after the end on Node 20 (zeros, or a second
 * member) and Bun (a second member), and its caller can't detect them, because
 * it does not report where the end was. And Deno's turns each chunk into one
 * chunk, which may be a thousand times as long.
 *
 * @module
 */

import type { DeflateRaw, InflateRaw } from "node:zlib";
import { ownBytes } from "../bytes.ts";
import { node } from "./node.ts";

/**
 * The size of output chunks. With zlib's default of 16 KiB everything takes
 * twice as long.
 */
const CHUNK_BYTES = 256 * 1024;

/** Gives the next piece of the input, or `undefined` at its end. */
export type NextBytes = () => Promise<Uint8Array | undefined>;

/** The bytes are not a deflate stream, or not all of one. */
export class InflateError extends Error {
  override readonly name = "InflateError";
  /** Whether the input ended too early. */
  readonly isCutShort: boolean;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    const { code } = cause as { readonly code?: unknown };
    this.isCutShort = code === "Z_BUF_ERROR";
  }
}

/** The CRC-32 of bytes, which continue the bytes whose CRC is `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return node.zlib.crc32(bytes, before);
}

/**
 * Compresses: level 0 stores the bytes as they are, 9 takes the longest. Errors
 * of `next` are passed on unchanged.
 */
export async function* deflateRaw(
  next: NextBytes,
  level: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const deflater = node.zlib.createDeflateRaw({
    level,
    chunkSize: CHUNK_BYTES,
  });
  yield* outputOf(deflater, new Feed(deflater, next));
}

/**
 * Decompresses; returns the input after the end of the deflate stream. Errors
 * of `next` are passed on unchanged.
 *
 * @throws {InflateError} when the bytes are damaged or cut short.
 */
export async function* inflateRaw(
  next: NextBytes,
): AsyncGenerator<Uint8Array<ArrayBuffer>, Uint8Array, void> {
  const inflater = node.zlib.createInflateRaw({ chunkSize: CHUNK_BYTES });
  const feed = new Feed(inflater, next);
  try {
    yield* outputOf(inflater, feed);
  } catch (error) {
    throw feed.failure === undefined ? new InflateError(error) : error;
  }
  return feed.rest;
}

async function* outputOf(
  stream: DeflateRaw | InflateRaw,
  feed: Feed,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  // A write that is under way at the end may fail after the result was given.
  stream.on("error", () => {});
  const fed = feed.run();
  try {
    // A copy, because zlib keeps writing to a buffer that it has not filled.
    for await (const chunk of stream) yield ownBytes(chunk as Uint8Array);
    await fed;
  } catch (error) {
    throw feed.failure === undefined ? error : feed.failure.reason;
  } finally {
    // Ends the feeding, too, when the consumer stops early.
    stream.destroy();
  }
}

/** Gives a stream its input piece by piece, until either has come to its end. */
class Feed {
  readonly #stream: DeflateRaw | InflateRaw;
  readonly #next: NextBytes;
  /** The error of the input, in an object because it may be any value. */
  failure: { readonly reason: unknown } | undefined;
  /** The part of the last piece that the stream has not taken. */
  rest: Uint8Array = new Uint8Array(0);

  constructor(stream: DeflateRaw | InflateRaw, next: NextBytes) {
    this.#stream = stream;
    this.#next = next;
  }

  /** Never rejects: the stream reports the failure. */
  async run(): Promise<void> {
    try {
      while (await this.#step());
    } catch (reason) {
      this.failure = { reason };
      this.#stream.destroy(new Error("the input failed"));
    }
  }

  /** Feeds one piece; resolves to whether there are more. */
  async #step(): Promise<boolean> {
    const stream = this.#stream;
    const piece = await this.#next();
    if (stream.destroyed) return false;
    if (piece === undefined) {
      stream.end();
      return false;
    }
    const before = stream.bytesWritten;
    await new Promise((resolve) => stream.write(piece, resolve));
    const used = stream.bytesWritten - before;
    this.rest = piece.subarray(used);
    return used === piece.length && !stream.destroyed;
  }
}
