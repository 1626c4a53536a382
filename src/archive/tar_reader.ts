/**
 * Reads the headers of a tar. Takes what Go's `archive/tar` writes for a
 * snapshot and little more, for each thing that two readers could take in two
 * ways is one more way to be given the wrong state.
 *
 * @module
 */

import { quote } from "../text.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import { decodeExtendedSize } from "./pax.ts";
import {
  BLOCK_BYTES,
  checksumOf,
  EXTENDED_TYPE,
  type Field,
  FIELDS,
  MAGIC,
  paddingOf,
  REGULAR_TYPE,
} from "./tar_layout.ts";

/** An extended header of ours has 20 bytes. */
const EXTENDED_BYTES_MAX = 8 * 1024;

/** A member whose bytes come next. */
export interface TarEntry {
  /** Its name, whatever that is. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Where its header starts, in bytes of the tar. */
  readonly offset: number;
}

/** What one header block says. */
interface Header extends TarEntry {
  readonly type: string;
}

/**
 * Reads up to the next member's bytes; `undefined` at the end of the tar, which
 * is then behind us. The caller must take the member's bytes and call
 * {@linkcode skipPadding}.
 *
 * @throws {SnapshotArchiveError} with the reason `"tar"`.
 */
export async function readEntry(
  tar: ByteReader,
): Promise<TarEntry | undefined> {
  const header = await readHeader(tar);
  if (header === undefined) return undefined;
  if (header.type === REGULAR_TYPE) return header;
  requireType(header, EXTENDED_TYPE);
  const size = await readExtendedSize(tar, header);
  const next = await readHeader(tar);
  if (next === undefined) {
    throw fault(tar.position, "the end", "the member of an extended header");
  }
  requireType(next, REGULAR_TYPE);
  return size === undefined ? next : { ...next, size };
}

/** Takes the zeros that come after a member's bytes. */
export async function skipPadding(
  tar: ByteReader,
  { size }: TarEntry,
): Promise<void> {
  const at = tar.position;
  const bytes = await take(tar, paddingOf(size));
  const odd = bytes.findIndex((byte) => byte !== 0);
  if (odd >= 0) throw fault(at + odd, "something else", "zeros");
}

async function readHeader(tar: ByteReader): Promise<Header | undefined> {
  const offset = tar.position;
  const block = await take(tar, BLOCK_BYTES);
  if (isZero(block)) {
    const at = tar.position;
    if (isZero(await take(tar, BLOCK_BYTES))) return undefined;
    throw fault(at, "something else", "a second block of zeros");
  }
  return decodeHeader(block, offset);
}

function decodeHeader(block: Uint8Array, offset: number): Header {
  const found = readOctal(block, FIELDS.checksum, offset);
  const sum = checksumOf(block);
  if (found !== sum) {
    const at = offset + FIELDS.checksum.start;
    throw fault(at, `checksum ${found}`, `checksum ${sum}`);
  }
  const { start, end } = FIELDS.magic;
  const magic = latin1(block.subarray(start, end));
  if (magic !== MAGIC) {
    throw fault(offset + start, quote(magic), quote(MAGIC));
  }
  const prefix = readText(block, FIELDS.prefix);
  const name = readText(block, FIELDS.name);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size: readOctal(block, FIELDS.size, offset),
    type: latin1(block.subarray(FIELDS.type.start, FIELDS.type.end)),
    offset,
  };
}

function requireType({ type, name, offset }: Header, expected: string): void {
  if (type === expected) return;
  const actual = `type ${quote(type)} for ${quote(name)}`;
  throw fault(offset + FIELDS.type.start, actual, "a regular file");
}

async function readExtendedSize(
  tar: ByteReader,
  header: Header,
): Promise<number | undefined> {
  if (header.size > EXTENDED_BYTES_MAX) {
    const actual = `an extended header of ${header.size} bytes`;
    throw fault(header.offset, actual, `at most ${EXTENDED_BYTES_MAX}`);
  }
  const at = tar.position;
  const bytes = await take(tar, header.size);
  await skipPadding(tar, header);
  return decodeExtendedSize(bytes, at);
}

/** Octal digits, with whatever writers put before and after them. */
function readOctal(block: Uint8Array, field: Field, offset: number): number {
  const text = latin1(block.subarray(field.start, field.end));
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(text) ?? [];
  // Twelve digits at most, or 36 bits.
  if (digits !== undefined) return parseInt(digits, 8);
  throw fault(offset + field.start, quote(text), "octal digits");
}

/** A text that a zero ends, or the field. */
function readText(block: Uint8Array, field: Field): string {
  const [text = ""] = latin1(block.subarray(field.start, field.end)).split(
    "\0",
  );
  return text;
}

/** Each byte as a character, so that none gets lost. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

async function take(tar: ByteReader, length: number): Promise<Uint8Array> {
  const bytes = await tar.take(length);
  if (bytes.length === length) return bytes;
  throw fault(tar.position, "its end", "more");
}

function fault(
  offset: number,
  actual: string,
  expected: string,
): SnapshotArchiveError {
  const reason = "tar";
  return new SnapshotArchiveError({ reason, offset, actual, expected });
}
