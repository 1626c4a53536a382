/**
 * The records of an extended header (PAX): `<length> key=value\n`, one after the
 * other.
 *
 * @module
 */

import { quote } from "../text.ts";
import {
  type SnapshotArchiveDetails,
  SnapshotArchiveError,
} from "./archive_error.ts";

/** Keys that do not change the bytes. Go writes none of them for a snapshot. */
const IGNORED_KEYS = new Set(["atime", "ctime", "mtime"]);

/**
 * The size in an extended header's records, if they have one; `offset` is where
 * the records start.
 *
 * @throws {SnapshotArchiveError} with the reason `"tar"`.
 */
export function decodeExtendedSize(
  bytes: Uint8Array,
  offset: number,
): number | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const { key, value, length } = decodeRecord(
      bytes.subarray(at),
      offset + at,
    );
    if (records.has(key)) {
      throw paxError({
        offset: offset + at,
        actual: `the key ${quote(key)} twice`,
        expected: "each key once",
      });
    }
    if (key !== "size" && !IGNORED_KEYS.has(key)) {
      const expected = `only ${["size", ...IGNORED_KEYS].join(", ")}`;
      throw paxError({
        offset: offset + at,
        actual: `the key ${quote(key)}`,
        expected,
      });
    }
    records.set(key, value);
    at += length;
  }
  const size = records.get("size");
  return size === undefined ? undefined : decodeSize(size, offset);
}

function decodeRecord(
  bytes: Uint8Array,
  offset: number,
): { readonly key: string; readonly value: string; readonly length: number } {
  const beginning = decode(bytes.subarray(0, 80));
  const [start = "", digits = ""] = /^([1-9]\d{0,4}) /.exec(beginning) ?? [];
  const length = Number(digits);
  const record = decode(bytes.subarray(start.length, length));
  // The value may contain line ends.
  const [, key, value] = /^([^=]+)=([^]*)\n$/.exec(record) ?? [];
  if (key === undefined || value === undefined || length > bytes.length) {
    throw paxError({
      offset,
      actual: quote(beginning),
      expected: "a record <length> key=value",
    });
  }
  return { key, value, length };
}

function decode(bytes: Uint8Array): string {
  // A byte order mark is part of the text: Go knows no key that begins with it.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function decodeSize(text: string, offset: number): number {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(size)) return size;
  throw paxError({
    offset,
    actual: `size ${quote(text)}`,
    expected: "a number below 2^53",
  });
}

function paxError(
  details: Omit<SnapshotArchiveDetails, "reason">,
): SnapshotArchiveError {
  const actual = `${details.actual} in an extended header`;
  return new SnapshotArchiveError({ ...details, reason: "tar", actual });
}
