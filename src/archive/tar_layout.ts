/**
 * The fields of a tar's header block (POSIX `ustar`).
 *
 * No tar package is used, because none that we tried writes the bytes that Go's
 * `archive/tar` writes. modern-tar leaves the device numbers empty, and from 8
 * GiB on gives the extended header another name and cuts the size in the main
 * one; tar-stream ends numbers with a space, and has a form of its own above 8
 * GiB. They are also too lenient for backups: they ignore faults in an extended
 * header, and bytes after the end.
 *
 * @module
 */

/** Everything in a tar is a multiple of this. */
export const BLOCK_BYTES = 512;

/** A tar ends with two blocks of zeros. */
export const END_BYTES = 2 * BLOCK_BYTES;

/** GNU tar writes records of 20 blocks, and fills its last one with zeros. */
export const RECORD_BYTES = 20 * BLOCK_BYTES;

/** A part of the header block. */
export interface Field {
  /** Its first byte. */
  readonly start: number;
  /** The byte after its last one. */
  readonly end: number;
}

/** The parts of the header block. */
export const FIELDS = {
  name: { start: 0, end: 100 },
  mode: { start: 100, end: 108 },
  uid: { start: 108, end: 116 },
  gid: { start: 116, end: 124 },
  size: { start: 124, end: 136 },
  modified: { start: 136, end: 148 },
  checksum: { start: 148, end: 156 },
  type: { start: 156, end: 157 },
  magic: { start: 257, end: 265 },
  deviceMajor: { start: 329, end: 337 },
  deviceMinor: { start: 337, end: 345 },
  prefix: { start: 345, end: 500 },
  gnuAccessed: { start: 345, end: 357 },
  gnuChanged: { start: 357, end: 369 },
  gnuRest: { start: 369, end: 500 },
} as const satisfies Readonly<Record<string, Field>>;

/** `ustar` and its version. */
export const MAGIC = "ustar\x0000";

/** GNU tar's default magic. The prefix then has other fields. */
export const GNU_MAGIC = "ustar  \0";

/** The header of a regular file. */
export const REGULAR_TYPE = "0";

/** An extended header (PAX), with more fields for the member that follows. */
export const EXTENDED_TYPE = "x";

/** The largest number that eleven octal digits hold: 8 GiB less one. */
export const OCTAL_MAX = 8 ** 11 - 1;

/** The sum of a header block's bytes, with the checksum itself as spaces. */
export function checksumOf(block: Uint8Array): number {
  const { start, end } = FIELDS.checksum;
  let sum = (end - start) * 0x20;
  for (const [at, byte] of block.entries()) {
    if (at < start || at >= end) sum += byte;
  }
  return sum;
}

/** The number of zeros that fill the last block of `size` bytes. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}
