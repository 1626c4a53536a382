/**
 * Reads a gzip file (RFC 1952) of one member, and nothing but that: Go reads
 * several as if they were one, and writes none such.
 *
 * @module
 */

import { crc32, InflateError, inflateRaw } from "../runtime/deflate.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import { describeFirstBytes, FIRST_BYTES } from "./first_bytes.ts";

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const DEFLATE = 8;

/** What follows the header, by the bit that says so. */
const FLAGS = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

/** Go's limit for a name and for a comment. */
const TEXT_BYTES_MAX = 512;

/**
 * Decompresses. Ends only when the whole file is right: its CRC, its length,
 * and that nothing follows.
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
  if (await file.takeSome() === undefined) return;
  throw fault(end, "more bytes", "its end");
}

async function* inflateBody(
  file: ByteReader,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  try {
    const rest = yield* inflateRaw(() => file.takeSome());
    file.giveBack(rest.length);
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    if (error.isCutShort) throw cutShort(file, error);
    // It is somewhere in what was taken last; zlib does not tell where.
    const actual = `${error.message} before byte ${file.position} of the file`;
    throw fault(undefined, actual, "deflated data", error);
  }
}

async function skipHeader(file: ByteReader): Promise<void> {
  const header = await file.take(HEADER_BYTES);
  const [magic = 0x1f, gzip = 0x8b, method, flags = 0] = header;
  if (header.length === 0 || magic !== 0x1f || gzip !== 0x8b) {
    throw notGzip(file, header);
  }
  if (header.length < HEADER_BYTES) throw cutShort(file);
  if (method !== DEFLATE || (flags & FLAGS.reserved) !== 0) {
    throw fault(2, `method ${method}, flags ${flags}`, "method 8, known flags");
  }
  let crc = crc32(header);
  if (flags & FLAGS.extra) {
    const length = await take(file, 2);
    const extra = await take(file, readUint16(length));
    crc = crc32(extra, crc32(length, crc));
  }
  if (flags & FLAGS.name) crc = await skipText(file, crc);
  if (flags & FLAGS.comment) crc = await skipText(file, crc);
  if (flags & FLAGS.crc) await checkHeaderCrc(file, crc);
}

/**
 * Says what the file looks like instead, by the bytes that have come: a server
 * that sends something else may never send more.
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

/** A text that a zero ends; resolves to the header's CRC so far. */
async function skipText(file: ByteReader, before: number): Promise<number> {
  let crc = before;
  for (let length = 0; length < TEXT_BYTES_MAX; length++) {
    const byte = await take(file, 1);
    crc = crc32(byte, crc);
    if (byte[0] === 0) return crc;
  }
  const expected = `at most ${TEXT_BYTES_MAX} bytes`;
  throw fault(file.position, "a longer name", expected);
}

async function checkHeaderCrc(file: ByteReader, crc: number): Promise<void> {
  const at = file.position;
  const found = readUint16(await take(file, 2));
  if (found === (crc & 0xffff)) return;
  throw fault(at, "another CRC of the header", "its own");
}

async function checkTrailer(
  file: ByteReader,
  crc: number,
  size: number,
): Promise<void> {
  const at = file.position;
  const trailer = await take(file, TRAILER_BYTES);
  const view = new DataView(trailer.buffer);
  const foundCrc = view.getUint32(0, true);
  if (foundCrc !== crc) {
    throw fault(at, `CRC-32 ${hex(crc)}`, `CRC-32 ${hex(foundCrc)}`);
  }
  const foundSize = view.getUint32(4, true);
  if (foundSize !== size % 2 ** 32) {
    throw fault(at + 4, `${size} bytes`, `${foundSize} bytes (modulo 2^32)`);
  }
}

async function take(file: ByteReader, length: number): Promise<Uint8Array> {
  const bytes = await file.take(length);
  if (bytes.length === length) return bytes;
  throw cutShort(file);
}

function readUint16(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) | (bytes[1] ?? 0) << 8;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

function cutShort(file: ByteReader, cause?: unknown): SnapshotArchiveError {
  return fault(file.position, "its end", "more", cause);
}

function fault(
  offset: number | undefined,
  actual: string,
  expected: string,
  cause?: unknown,
): SnapshotArchiveError {
  const reason = "gzip";
  return new SnapshotArchiveError({ reason, offset, actual, expected, cause });
}
