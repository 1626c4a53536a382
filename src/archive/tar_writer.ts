/**
 * Writes tar headers byte for byte as Go's `archive/tar` does for the fields
 * that `github.com/hashicorp/raft-snapshot` sets: a name, mode 0600, a size and
 * a time (`write` in its `archive.go`).
 *
 * @module
 */

import {
  BLOCK_BYTES,
  checksumOf,
  EXTENDED_TYPE,
  type Field,
  FIELDS,
  MAGIC,
  OCTAL_MAX,
  paddingOf,
  REGULAR_TYPE,
} from "./tar_layout.ts";

/** A member that is to be written. */
export interface TarMember {
  /** Its name; short, and ASCII. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /** When it was modified, in seconds since 1970; at most `OCTAL_MAX`. */
  readonly modified: number;
}

/** The header before a member's bytes; above 8 GiB an extended one, too. */
export function encodeHeader(member: TarMember): Uint8Array<ArrayBuffer> {
  const { name, size } = member;
  if (size <= OCTAL_MAX) return encodeBlock(member);
  const record = encodeRecord("size", String(size));
  const bytes = new Uint8Array(3 * BLOCK_BYTES);
  bytes.set(encodeExtendedBlock(`PaxHeaders.0/${name}`, record.length));
  bytes.set(record, BLOCK_BYTES);
  // A size that does not fit is zero here.
  bytes.set(encodeBlock({ ...member, size: 0 }), 2 * BLOCK_BYTES);
  return bytes;
}

/** The zeros after a member's bytes. */
export function padding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(paddingOf(size));
}

function encodeBlock(member: TarMember): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  writeText(block, FIELDS.name, member.name);
  writeOctal(block, FIELDS.mode, 0o600);
  writeOctal(block, FIELDS.size, member.size);
  writeOctal(block, FIELDS.modified, member.modified);
  writeText(block, FIELDS.type, REGULAR_TYPE);
  writeOctal(block, FIELDS.deviceMajor, 0);
  writeOctal(block, FIELDS.deviceMinor, 0);
  return finishBlock(block);
}

/** Go's `writeRawFile` sets less than is set for a member. */
function encodeExtendedBlock(
  name: string,
  size: number,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  writeText(block, FIELDS.name, name);
  writeOctal(block, FIELDS.mode, 0);
  writeOctal(block, FIELDS.size, size);
  writeOctal(block, FIELDS.modified, 0);
  writeText(block, FIELDS.type, EXTENDED_TYPE);
  return finishBlock(block);
}

/** Sets the fields that both kinds of header have; the checksum comes last. */
function finishBlock(block: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  writeOctal(block, FIELDS.uid, 0);
  writeOctal(block, FIELDS.gid, 0);
  writeText(block, FIELDS.magic, MAGIC);
  const { start } = FIELDS.checksum;
  // Six digits, a zero and a space, as tar has always written checksums.
  writeOctal(block, { start, end: start + 7 }, checksumOf(block));
  writeText(block, { start: start + 7, end: start + 8 }, " ");
  return block;
}

function writeText(block: Uint8Array, field: Field, text: string): void {
  block.set(new TextEncoder().encode(text), field.start);
}

/** Writes octal digits that fill the field up to a zero at its end. */
function writeOctal(block: Uint8Array, field: Field, value: number): void {
  const digits = field.end - field.start - 1;
  writeText(block, field, value.toString(8).padStart(digits, "0"));
}

/** `<length> key=value\n`, where the length counts its own digits. */
function encodeRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return new TextEncoder().encode(`${length}${rest}`);
}
