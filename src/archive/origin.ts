/**
 * `archive.origin`: the parts that an export needs to make an imported archive
 * again: its exact `meta.json` and sums, and the time in its tar. Vault's seal
 * covers the sums, and the sums cover `meta.json`: with one byte changed, Vault
 * refuses to restore the snapshot, or crashes. The layout is in docs/format.md.
 *
 * @module
 */

import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import { checkCrc, withCrc } from "../snapshot/extras.ts";
import { UINT64_MAX } from "../uint64.ts";

/** The parts of an archive that a store's own files don't have. */
export interface ArchiveOrigin {
  /** The exact bytes of `meta.json`. */
  readonly meta: Uint8Array;
  /** The exact bytes of `SHA256SUMS`. */
  readonly sums: Uint8Array;
  /** The exact bytes of `SHA256SUMS.sealed`, which only Vault writes. */
  readonly sealedSums: Uint8Array | undefined;
  /** The time of `meta.json` in the tar, in seconds since 1970, if it is known. */
  readonly modified: number | undefined;
}

const MAGIC = "RAFTORIG";
const FORMAT_VERSION = 1;
/** Stands for a time that is not known. */
const UNKNOWN_TIME = UINT64_MAX;

/** Where each field of the header is; the three texts follow it. */
const AT = {
  version: 8,
  metaSize: 12,
  modified: 16,
  sumsSize: 24,
  sealedSize: 28,
  texts: 32,
} as const;

/** The bytes of an `archive.origin`. */
export function encodeOrigin(origin: ArchiveOrigin): Uint8Array {
  const { meta, sums, sealedSums = new Uint8Array(0), modified } = origin;
  const size = AT.texts + meta.length + sums.length + sealedSums.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(AT.version, FORMAT_VERSION);
  view.setUint32(AT.metaSize, meta.length);
  const time = modified === undefined ? UNKNOWN_TIME : BigInt(modified);
  view.setBigUint64(AT.modified, time);
  view.setUint32(AT.sumsSize, sums.length);
  view.setUint32(AT.sealedSize, sealedSums.length);
  bytes.set(meta, AT.texts);
  bytes.set(sums, AT.texts + meta.length);
  bytes.set(sealedSums, AT.texts + meta.length + sums.length);
  return withCrc(bytes);
}

/**
 * Reads an `archive.origin`; `what` names it in errors. The
 * members in it are not checked.
 *
 * @throws {SnapshotCorruptError} with the reason `"archive"` when it is damaged.
 * @throws {UnsupportedSnapshotVersionError} when it is of a newer format.
 */
export function decodeOrigin(bytes: Uint8Array, what: string): ArchiveOrigin {
  // The CRC comes first, so that a flipped bit does not pass for a newer
  // version.
  const content = checkCrc(bytes, what);
  if (content.length < AT.texts) {
    throw new SnapshotCorruptError(what, {
      reason: "archive",
      actual: `${content.length} bytes before the CRC`,
      expected: `at least ${AT.texts}`,
    });
  }
  const magic = String.fromCharCode(...content.subarray(0, MAGIC.length));
  if (magic !== MAGIC) {
    throw new SnapshotCorruptError(what, {
      reason: "archive",
      actual: "other first bytes",
      expected: MAGIC,
    });
  }
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const version = view.getUint32(AT.version);
  if (version !== FORMAT_VERSION) {
    throw new UnsupportedSnapshotVersionError(
      `Cannot use ${what}: found version ${version}, ` +
        `expected ${FORMAT_VERSION}`,
    );
  }
  const metaEnd = AT.texts + view.getUint32(AT.metaSize);
  const sumsEnd = metaEnd + view.getUint32(AT.sumsSize);
  const sealedEnd = sumsEnd + view.getUint32(AT.sealedSize);
  if (sealedEnd !== content.length) {
    throw new SnapshotCorruptError(what, {
      reason: "archive",
      actual: `${content.length} bytes`,
      expected: `${sealedEnd}`,
    });
  }
  const time = view.getBigUint64(AT.modified);
  return {
    meta: content.subarray(AT.texts, metaEnd),
    sums: content.subarray(metaEnd, sumsEnd),
    sealedSums: sealedEnd === sumsEnd
      ? undefined
      : content.subarray(sumsEnd, sealedEnd),
    // A tar header can't hold a later time.
    modified: time <= 8n ** 11n - 1n ? Number(time) : undefined,
  };
}
