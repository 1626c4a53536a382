/**
 * An archive's `meta.json`: Go's `raft.SnapshotMeta` in JSON.
 *
 * @module
 */

import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import { decodeRecord } from "../snapshot/meta/decode.ts";
import { decodePeers } from "../snapshot/meta/peers.ts";
import { timeOf } from "../snapshot/id.ts";
import { takenAtOr } from "../snapshot/taken_at.ts";
import { fieldsJson } from "../snapshot/meta/snapshot_meta.ts";
import type {
  Configuration,
  SnapshotInit,
  SnapshotMetaFields,
  SnapshotMetaJson,
} from "../snapshot/types.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import { META } from "./members.ts";

/**
 * The metadata in an archive: all of a snapshot's but the CRC of the state.
 * `takenAt` is the time of `meta.json` in the tar.
 */
export interface ArchiveMeta extends Omit<SnapshotMetaFields, "crc"> {
  /** The time in the ID; `undefined` when the ID is not that of a store. */
  readonly createdAt: Date | undefined;
  /** For `JSON.stringify()`: bigints become strings, because JSON has none. */
  toJSON(): ArchiveMetaJson;
}

/** The metadata of an archive as JSON. */
export interface ArchiveMetaJson
  extends Omit<SnapshotMetaJson, "createdAt" | "crc"> {
  /** The time in the ID, in ISO 8601; `null` where that is unknown. */
  readonly createdAt: string | null;
}

/** `console.log()` shows the name of this class. */
class SnapshotArchiveMeta implements ArchiveMeta {
  readonly version: 0 | 1;
  readonly id: string;
  readonly index: bigint;
  readonly term: bigint;
  readonly createdAt: Date | undefined;
  readonly size: number;
  readonly configuration: Configuration;
  readonly configurationIndex: bigint;
  readonly peers: Uint8Array;
  // Without a value it is not there.
  declare readonly takenAt?: Date;

  constructor(fields: Omit<SnapshotMetaFields, "crc">) {
    this.version = fields.version;
    this.id = fields.id;
    this.index = fields.index;
    this.term = fields.term;
    this.createdAt = timeOf(fields.id);
    this.size = fields.size;
    this.configuration = fields.configuration;
    this.configurationIndex = fields.configurationIndex;
    this.peers = fields.peers;
    if (fields.takenAt !== undefined) this.takenAt = fields.takenAt;
  }

  toJSON(): ArchiveMetaJson {
    const createdAt = this.createdAt?.toISOString() ?? null;
    return { ...fieldsJson(this), createdAt };
  }
}

/**
 * Reads a `meta.json`; `offset` is where it starts, and `modified` its time in
 * the tar, in seconds since 1970. Tools that make tars reproducible write 0.
 *
 * @throws {SnapshotArchiveError} with the reason `"meta"`.
 * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
 */
export function decodeArchiveMeta(
  bytes: Uint8Array,
  offset: number,
  modified?: number,
): ArchiveMeta {
  // Like Go's reader, ignores a CRC, which the meta.json of a store has.
  const { version, crc: _, ...rest } = orFault(
    offset,
    () => decodeRecord(bytes, `${META} in the archive`),
  );
  if (version === 0 || version === 1) {
    const time = modified ? new Date(modified * 1000) : timeOf(rest.id);
    const takenAt = takenAtOr(time);
    return new SnapshotArchiveMeta({ version, ...rest, takenAt });
  }
  throw new UnsupportedSnapshotVersionError(
    `Cannot use the archive: found a snapshot of version ${version}, ` +
      "expected 0 or 1",
  );
}

/**
 * The argument for `create()` that makes the snapshot again. In version 0 the
 * servers are in `peers`, as of the snapshot's own index (`installSnapshot` in
 * Go's `raft.go`).
 *
 * @throws {SnapshotArchiveError} with the reason `"meta"`.
 */
export function initOfArchive(meta: ArchiveMeta): SnapshotInit {
  const { version, index, term, takenAt } = meta;
  if (version === 1) {
    const { configuration, configurationIndex } = meta;
    return { index, term, configuration, configurationIndex, takenAt };
  }
  const { peers } = meta;
  return {
    index,
    term,
    takenAt,
    configuration: orFault(undefined, () => decodePeers(peers)),
    configurationIndex: index,
  };
}

/** The function's result; its errors become errors of the archive. */
function orFault<T>(offset: number | undefined, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof SnapshotCorruptError)) throw cause;
    throw new SnapshotArchiveError({
      reason: "meta",
      member: META,
      offset,
      summary: cause.message,
      actual: String(cause.actual),
      expected: String(cause.expected),
      cause,
    });
  }
}
