/**
 * A gzip file (RFC 1952), framed as Go's `compress/gzip` frames it.
 *
 * @module
 */

import { crc32, deflateRaw, type NextBytes } from "../runtime/deflate.ts";

/** Deflate, no flags, no time, no hint, unknown system. */
const HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/** Compresses a stream of bytes at a level of 0 (stored) to 9. */
export async function* gzip(
  bytes: AsyncGenerator<Uint8Array, void, void>,
  level: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  let crc = 0;
  let size = 0;
  const next: NextBytes = async () => {
    const { done, value } = await bytes.next();
    if (done) return undefined;
    crc = crc32(value, crc);
    size += value.length;
    return value;
  };
  try {
    yield Uint8Array.from(HEADER);
    yield* deflateRaw(next, level);
    yield trailer(crc, size);
  } finally {
    // When the consumer stops early, the source of the bytes must end, too.
    await bytes.return();
  }
}

function trailer(crc: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, crc, true);
  // Its lower 32 bits; a number has 53.
  view.setUint32(4, size % 2 ** 32, true);
  return bytes;
}
