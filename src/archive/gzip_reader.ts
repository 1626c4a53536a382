/**
 * Reads a gzip file (RFC 1952) of one member. Go reads several members as one,
 * but never writes more than one, so a second one is rejected.
 *
 * @module
 */

import { crc32, InflateError, inflateRaw } from "../runtime/deflate.ts";
import {
  type SnapshotArchiveDetails,
  SnapshotArchiveError,
} from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import { describeFirstBytes, FIRST_BYTES } from "./first_bytes.ts";
import { trailingBytes, truncated } from "./wrong_end.ts";

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const DEFLATE = 8;

/** The parts of the file, in words. */
const HEADER = "the gzip header";
const TRAILER = "the checksum at the end of the gzip file";

/** The bits for the fields that follow the header. */
const FLAGS = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

/** Go's limit for a name and for a comment. */
const TEXT_BYTES_MAX = 512;

/**
 * Decompresses. Ends only when the CRC and the length match, and no bytes
 * follow.
 *
 * @throws {SnapshotArchiveError} with the reason `"gzip"`.
 */
export async function* gunzip(
  file: ByteReader,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  await skipHeader(file);
  let crc = 0;
  let size = 0;
  for await (const chunk of inflateBody(file)) {
    crc = crc32(chunk, crc);
    size += chunk.length;
    yield chunk;
  }
  await checkTrailer(file, crc, size);
  const end = file.position;
  const rest = await file.takeSome();
  if (rest !== undefined) throw trailingBytes(end, rest);
}

async function* inflateBody(
  file: ByteReader,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  try {
    const rest = yield* inflateRaw(() => file.takeSome());
    file.giveBack(rest.length);
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    if (error.isCutShort) throw cutShort(file, "the compressed data", error);
    // The fault is somewhere in the last piece; zlib does not say where.
    const actual = `${error.message} before byte ${file.position} of the file`;
    throw gzipError({ actual, expected: "deflated data", cause: error });
  }
}

async function skipHeader(file: ByteReader): Promise<void> {
  const header = await file.take(HEADER_BYTES);
  const [magic = 0x1f, gzip = 0x8b, method, flags = 0] = header;
  if (header.length === 0 || magic !== 0x1f || gzip !== 0x8b) {
    throw notGzip(file, header);
  }
  if (header.length < HEADER_BYTES) throw cutShort(file, HEADER);
  if (method !== DEFLATE || (flags & FLAGS.reserved) !== 0) {
    const actual = `compression method ${method} and flags ${flags}`;
    throw gzipError({
      offset: 2,
      actual,
      expected: `method ${DEFLATE} (deflate) and known flags`,
    });
  }
  let crc = crc32(header);
  if (flags & FLAGS.extra) {
    const length = await take(file, 2, HEADER);
    const extra = await take(file, readUint16(length), HEADER);
    crc = crc32(extra, crc32(length, crc));
  }
  if (flags & FLAGS.name) crc = await skipText(file, crc);
  if (flags & FLAGS.comment) crc = await skipText(file, crc);
  if (flags & FLAGS.crc) await checkHeaderCrc(file, crc);
}

/**
 * Guesses the format by the bytes that have arrived: a server that sends
 * another format may never send more.
 */
function notGzip(file: ByteReader, header: Uint8Array): SnapshotArchiveError {
  const rest = file.atHand(FIRST_BYTES - header.length);
  const first = new Uint8Array(header.length + rest.length);
  first.set(header);
  first.set(rest, header.length);
  return new SnapshotArchiveError({
    reason: "gzip",
    offset: 0,
    expected: "a gzip file",
    ...describeFirstBytes(first),
  });
}

/** Skips a text up to its zero; resolves to the header's CRC so far. */
async function skipText(file: ByteReader, before: number): Promise<number> {
  let crc = before;
  for (let length = 0; length < TEXT_BYTES_MAX; length++) {
    const byte = await take(file, 1, HEADER);
    crc = crc32(byte, crc);
    if (byte[0] === 0) return crc;
  }
  const expected = `at most ${TEXT_BYTES_MAX} bytes`;
  const actual = "a longer file name or comment in the gzip header";
  throw gzipError({ offset: file.position, actual, expected });
}

async function checkHeaderCrc(file: ByteReader, crc: number): Promise<void> {
  const at = file.position;
  const found = readUint16(await take(file, 2, HEADER));
  const actual = crc & 0xffff;
  if (found === actual) return;
  const name = "CRC-16 of the gzip header";
  throw gzipError({
    offset: at,
    actual: `${name} ${hex(actual, 4)}`,
    expected: `CRC-16 ${hex(found, 4)}`,
  });
}

async function checkTrailer(
  file: ByteReader,
  crc: number,
  size: number,
): Promise<void> {
  const at = file.position;
  const trailer = await take(file, TRAILER_BYTES, TRAILER);
  const view = new DataView(trailer.buffer);
  const foundCrc = view.getUint32(0, true);
  if (foundCrc !== crc) {
    const actual = `data of CRC-32 ${hex(crc)}`;
    throw gzipError({
      offset: at,
      actual,
      expected: `CRC-32 ${hex(foundCrc)}`,
    });
  }
  const foundSize = view.getUint32(4, true);
  if (foundSize !== size % 2 ** 32) {
    throw gzipError({
      offset: at + 4,
      actual: `${size} bytes of data`,
      expected: `${foundSize} (modulo 2^32)`,
    });
  }
}

/** The next bytes of the named part. */
async function take(
  file: ByteReader,
  length: number,
  part: string,
): Promise<Uint8Array> {
  const bytes = await file.take(length);
  if (bytes.length === length) return bytes;
  throw cutShort(file, part);
}

function readUint16(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) | (bytes[1] ?? 0) << 8;
}

function hex(crc: number, digits = 8): string {
  return crc.toString(16).padStart(digits, "0");
}

function cutShort(
  file: ByteReader,
  part: string,
  cause?: unknown,
): SnapshotArchiveError {
  const details = { reason: "gzip", offset: file.position, cause } as const;
  return truncated(`${part} is incomplete`, details);
}

function gzipError(
  details: Omit<SnapshotArchiveDetails, "reason">,
): SnapshotArchiveError {
  return new SnapshotArchiveError({ reason: "gzip", ...details });
}
