/**
 * Reads the headers of a tar. Accepts the headers that Go's `archive/tar`
 * writes for a snapshot and few others, because two readers could disagree on
 * other headers, and one of them would then restore the wrong state.
 *
 * @module
 */

import { quote } from "../text.ts";
import {
  type SnapshotArchiveDetails,
  SnapshotArchiveError,
} from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import { describeFirstBytes } from "./first_bytes.ts";
import { decodeExtendedSize } from "./pax.ts";
import {
  BLOCK_BYTES,
  checksumOf,
  EXTENDED_TYPE,
  type Field,
  FIELDS,
  GNU_MAGIC,
  MAGIC,
  paddingOf,
  REGULAR_TYPE,
} from "./tar_layout.ts";
import { truncated } from "./wrong_end.ts";

/** An extended header of ours has 20 bytes. */
const EXTENDED_BYTES_MAX = 8 * 1024;

/** A member whose bytes come next. */
export interface TarEntry {
  /** Its name, not checked. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Where its header starts, in bytes of the tar. */
  readonly offset: number;
  /**
   * When it was modified, in seconds since 1970, if the field is eleven octal
   * digits or fewer. Readers that disagree on it still read the same state.
   */
  readonly modified: number | undefined;
}

/** The fields of one header block. */
interface Header extends TarEntry {
  readonly type: string;
  /** Whether GNU tar wrote it in its own format. */
  readonly isGnu: boolean;
}

/** The fields that hold octal digits, in words. */
const OCTAL_FIELDS = {
  checksum: "a header's checksum",
  size: "a member's size",
  gnuAccessed: "the time of a member's last access",
  gnuChanged: "the time of a member's last change",
} as const;

/** GNU tar's own types, which are rejected, in words. */
const GNU_TYPES: ReadonlyMap<string, string> = new Map([
  ["D", "a list of names"],
  ["K", "a long name of a link"],
  ["L", "a long name"],
  ["M", "a file that continues from another volume"],
  ["S", "a sparse file"],
  ["V", "a volume's label"],
]);

/**
 * Reads up to the next member's bytes; `undefined` at the end of the tar, whose
 * last block has then been read. The caller must take the member's bytes and
 * call {@linkcode skipPadding}.
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
  requireUstar(header);
  const size = await readExtendedSize(tar, header);
  const next = await readHeader(tar);
  if (next === undefined) {
    const details = { reason: "tar", offset: tar.position } as const;
    throw truncated("the member of an extended header is missing", details);
  }
  requireType(next, REGULAR_TYPE);
  requireUstar(next);
  return size === undefined ? next : { ...next, size };
}

/** Takes the zeros that come after a member's bytes. */
export async function skipPadding(
  tar: ByteReader,
  { size, name }: TarEntry,
): Promise<void> {
  const at = tar.position;
  const bytes = await take(tar, paddingOf(size));
  const odd = bytes.findIndex((byte) => byte !== 0);
  if (odd < 0) return;
  throw tarError({
    offset: at + odd,
    actual: `other bytes after the end of ${quote(name)}`,
    expected: "zeros",
  });
}

async function readHeader(tar: ByteReader): Promise<Header | undefined> {
  const offset = tar.position;
  const block = await tar.take(BLOCK_BYTES);
  if (offset === 0) requireTar(block);
  if (block.length === 0) throw noEnd(tar);
  if (block.length < BLOCK_BYTES) throw cutShort(tar);
  if (isZero(block)) {
    const at = tar.position;
    const second = await tar.take(BLOCK_BYTES);
    if (second.length === 0) throw noEnd(tar);
    if (second.length < BLOCK_BYTES) throw cutShort(tar);
    if (isZero(second)) return undefined;
    throw tarError({
      offset: at,
      actual: "other bytes after one block of zeros",
      expected: "two such blocks",
    });
  }
  return decodeHeader(block, offset);
}

/**
 * The decompressed bytes may be anything: a server's error page, or another
 * archive.
 */
function requireTar(block: Uint8Array): void {
  const { looksLike, actual, hint } = describeFirstBytes(block);
  if (looksLike === "tar" || looksLike === "unknown") return;
  const where = { reason: "tar", offset: 0, expected: "a tar" } as const;
  throw new SnapshotArchiveError({ ...where, looksLike, actual, hint });
}

function decodeHeader(block: Uint8Array, offset: number): Header {
  const found = readOctal(block, "checksum", offset);
  const sum = checksumOf(block);
  if (found !== sum) {
    const at = offset + FIELDS.checksum.start;
    throw tarError({
      offset: at,
      actual: `header checksum ${found}`,
      expected: `checksum ${sum}`,
    });
  }
  const { start, end } = FIELDS.magic;
  const magic = latin1(block.subarray(start, end));
  const isGnu = magic === GNU_MAGIC;
  if (magic !== MAGIC && !isGnu) {
    throw tarError({
      offset: offset + start,
      actual: `the magic ${quote(magic)}`,
      expected: `${quote(MAGIC)} or ${quote(GNU_MAGIC)}`,
      hint: "make the tar with --format=ustar",
    });
  }
  const type = latin1(block.subarray(FIELDS.type.start, FIELDS.type.end));
  if (isGnu && type === REGULAR_TYPE) checkGnuFields(block, offset);
  const prefix = isGnu ? "" : readText(block, FIELDS.prefix);
  const name = readText(block, FIELDS.name);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size: isGnu && isBase256(block, FIELDS.size)
      ? readBase256(block, FIELDS.size, offset)
      : readOctal(block, "size", offset),
    modified: octalIn(block, FIELDS.modified),
    isGnu,
    type,
    offset,
  };
}

function requireType({ type, name, offset }: Header, expected: string): void {
  if (type === expected) return;
  const words = GNU_TYPES.get(type) ?? "another kind of member";
  const actual = `${words} (type ${quote(type)}) named ${quote(name)}`;
  const hint = type === "S" ? "pack the tar without -S" : undefined;
  throw tarError({
    offset: offset + FIELDS.type.start,
    actual,
    expected: "a regular file",
    hint,
  });
}

/**
 * Rejects a GNU header after an extended one: Go reads it as a format of its
 * own, and GNU tar never writes it.
 */
function requireUstar({ isGnu, offset }: Header): void {
  if (!isGnu) return;
  const at = offset + FIELDS.magic.start;
  const actual = `the magic ${quote(GNU_MAGIC)} beside an extended header`;
  throw tarError({
    offset: at,
    actual,
    expected: quote(MAGIC),
    hint: "make the tar with --format=ustar",
  });
}

async function readExtendedSize(
  tar: ByteReader,
  header: Header,
): Promise<number | undefined> {
  if (header.size > EXTENDED_BYTES_MAX) {
    const actual = `an extended header of ${header.size} bytes`;
    throw tarError({
      offset: header.offset,
      actual,
      expected: `at most ${EXTENDED_BYTES_MAX} bytes`,
    });
  }
  const at = tar.position;
  const bytes = await take(tar, header.size);
  await skipPadding(tar, header);
  return decodeExtendedSize(bytes, at);
}

/**
 * Reads octal digits, with the spaces and zeros that writers put around them.
 */
function readOctal(
  block: Uint8Array,
  name: keyof typeof OCTAL_FIELDS,
  offset: number,
): number {
  const field = FIELDS[name];
  const number = octalIn(block, field);
  if (number !== undefined) return number;
  const text = latin1(block.subarray(field.start, field.end));
  const actual = `${quote(text)} for ${OCTAL_FIELDS[name]}`;
  throw tarError({
    offset: offset + field.start,
    actual,
    expected: "octal digits",
  });
}

function octalIn(block: Uint8Array, field: Field): number | undefined {
  const text = latin1(block.subarray(field.start, field.end));
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(text) ?? [];
  // Twelve digits at most, or 36 bits.
  return digits === undefined ? undefined : parseInt(digits, 8);
}

/** GNU tar's way to write sizes beyond eleven octal digits: 8 GiB and more. */
function isBase256(block: Uint8Array, { start }: Field): boolean {
  return ((block[start] ?? 0) & 0x80) !== 0;
}

/**
 * Reads a big-endian number, whose first bit marks the form and whose second
 * bit is the sign.
 */
function readBase256(block: Uint8Array, field: Field, offset: number): number {
  let value = (block[field.start] ?? 0) & 0x7f;
  for (const byte of block.subarray(field.start + 1, field.end)) {
    value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) break;
  }
  if (Number.isSafeInteger(value)) return value;
  const actual = "a member of 2^53 bytes or more";
  throw tarError({
    offset: offset + field.start,
    actual,
    expected: "fewer bytes",
  });
}

/**
 * Where ustar has a prefix, GNU tar has times, which say nothing of the bytes,
 * and the places of a sparse file. Go reads other bytes in the place of the
 * times as a prefix, so other bytes are rejected.
 */
function checkGnuFields(block: Uint8Array, offset: number): void {
  for (const name of ["gnuAccessed", "gnuChanged"] as const) {
    const { start, end } = FIELDS[name];
    if (!isZero(block.subarray(start, end))) readOctal(block, name, offset);
  }
  const { start, end } = FIELDS.gnuRest;
  const odd = block.subarray(start, end).findIndex((byte) => byte !== 0);
  if (odd < 0) return;
  const actual = "data in a field of GNU tar that only sparse files have";
  throw tarError({ offset: offset + start + odd, actual, expected: "zeros" });
}

/** Reads a text up to its zero, or to the end of the field. */
function readText(block: Uint8Array, field: Field): string {
  const [text = ""] = latin1(block.subarray(field.start, field.end)).split(
    "\0",
  );
  return text;
}

/** Each byte as a character, so that no byte is lost. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

async function take(tar: ByteReader, length: number): Promise<Uint8Array> {
  const bytes = await tar.take(length);
  if (bytes.length === length) return bytes;
  throw cutShort(tar);
}

function cutShort({ position: offset }: ByteReader): SnapshotArchiveError {
  const details = { reason: "tar", offset } as const;
  return truncated("a block of the tar is incomplete", details);
}

function noEnd({ position: offset }: ByteReader): SnapshotArchiveError {
  const details = { reason: "tar", offset } as const;
  return truncated("the blocks of zeros that end a tar are missing", details);
}

function tarError(
  details: Omit<SnapshotArchiveDetails, "reason">,
): SnapshotArchiveError {
  return new SnapshotArchiveError({ reason: "tar", ...details });
}
