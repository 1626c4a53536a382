/**
 * The bytes of `meta.json`, for users. The functions write the same bytes as
 * Go, and check all that they read as a store does.
 *
 * @module
 */

import { isUint8Array } from "../../bytes.ts";
import { UnsupportedSnapshotVersionError } from "../../errors.ts";
import { quote } from "../../text.ts";
import { parseId, requireId } from "../id.ts";
import { requireUint64, resolveConfiguration } from "../init.ts";
import { resolveTakenAt } from "../taken_at.ts";
import type { SnapshotMeta, SnapshotMetaFields } from "../types.ts";
import { corruptMeta } from "./corrupt_meta.ts";
import { type DecodedRecord, decodeRecord, META_SIZE_MAX } from "./decode.ts";
import { encodeRecord } from "./encode.ts";
import { makeMeta } from "./snapshot_meta.ts";

/**
 * The bytes of a snapshot's `meta.json`, exactly as Go's store writes them.
 *
 * @throws {TypeError} when a value has the wrong type.
 * @throws {RangeError} when a number is out of its bounds, term and index are not
 * those of the ID, or the result is longer than a store would read (1 MiB).
 * @throws {InvalidSnapshotIdError} when `id` is not a snapshot ID.
 *
 * @example Send a snapshot's metadata, and read it
 * ```ts
 * import { decodeMeta, encodeMeta, MemorySnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new MemorySnapshotStore();
 * const meta = await store.save({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * }, new Uint8Array(100));
 * assert.deepEqual(decodeMeta(encodeMeta(meta)), meta);
 * ```
 */
export function encodeMeta(
  meta: SnapshotMetaFields,
): Uint8Array<ArrayBuffer> {
  const bytes = encodeRecord(requireFields(meta));
  if (bytes.length <= META_SIZE_MAX) return bytes;
  throw new RangeError(
    `Cannot encode metadata: its meta.json has ${bytes.length} bytes, ` +
      `expected at most ${META_SIZE_MAX}`,
  );
}

/**
 * The metadata in the bytes of a `meta.json`, which any version of Go's store or
 * this library has written.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @throws {SnapshotCorruptError} when the bytes are not the `meta.json` of a
 * published snapshot; the reason is `"meta"`.
 * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
 */
export function decodeMeta(bytes: Uint8Array): SnapshotMeta {
  if (!isUint8Array(bytes)) {
    throw new TypeError(
      `Cannot decode metadata: found ${typeof bytes}, expected a Uint8Array`,
    );
  }
  const record = decodeRecord(bytes, "meta.json");
  if (isKnown(record)) return toMeta(record, "meta.json");
  throw new UnsupportedSnapshotVersionError(
    `Cannot decode metadata: found version ${record.version}, expected 0 or 1`,
  );
}

/** A record of a version that this library knows. */
export type KnownRecord = DecodedRecord & Pick<SnapshotMeta, "version">;

/** Whether the record is of a version that this library knows. */
export function isKnown(record: DecodedRecord): record is KnownRecord {
  return record.version === 0 || record.version === 1;
}

/**
 * The metadata of a published snapshot; `what` names its file in errors.
 *
 * @throws {SnapshotCorruptError} when the record can't be that of a published
 * snapshot.
 */
export function toMeta(
  { crc, ...rest }: KnownRecord,
  what: string,
): SnapshotMeta {
  const name = parseId(rest.id);
  if (name === undefined) {
    throw corruptMeta(what, {
      expected: "a snapshot ID",
      actual: quote(rest.id),
    });
  }
  if (rest.term !== name.term || rest.index !== name.index) {
    throw corruptMeta(what, {
      expected: "the term and index of its ID",
      actual: `term ${rest.term} and index ${rest.index}`,
    });
  }
  // Go writes null while the state is being written, and never publishes that.
  if (crc === null) {
    throw corruptMeta(what, { expected: "a CRC", actual: "none" });
  }
  return makeMeta({ ...rest, crc });
}

/** A checked copy of the fields that the caller gave. */
function requireFields(meta: SnapshotMetaFields): SnapshotMetaFields {
  if (typeof meta !== "object" || meta === null) {
    throw new TypeError(
      `Cannot encode metadata: found ${
        meta === null ? "null" : typeof meta
      }, ` +
        "expected an object",
    );
  }
  const { version, peers, size } = meta;
  if (version !== 0 && version !== 1) {
    throw new RangeError(
      `Cannot use version: found ${String(version)}, expected 0 or 1`,
    );
  }
  if (!isUint8Array(peers)) {
    throw new TypeError(
      `Cannot use peers: found ${typeof peers}, expected a Uint8Array`,
    );
  }
  const id = requireId(meta.id);
  const term = requireUint64("term", meta.term);
  const index = requireUint64("index", meta.index);
  if (!id.startsWith(`${term}-${index}-`)) {
    throw new RangeError(
      `Cannot use the ID ${id}: found term ${term} and index ${index}, ` +
        "expected those of the ID",
    );
  }
  return {
    version,
    id,
    index,
    term,
    peers,
    configuration: resolveConfiguration(meta.configuration),
    configurationIndex: requireUint64(
      "configurationIndex",
      meta.configurationIndex,
    ),
    size: requireSize(size),
    crc: requireUint64("crc", meta.crc),
    ...resolveTakenAt(meta.takenAt),
  };
}

function requireSize(size: number): number {
  if (typeof size !== "number") {
    throw new TypeError(
      `Cannot use size: found ${typeof size}, expected a number`,
    );
  }
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RangeError(
    `Cannot use size: found ${size}, expected an integer from 0 to ` +
      `${Number.MAX_SAFE_INTEGER}`,
  );
}
