/**
 * An archive's `meta.json`: Go's `raft.SnapshotMeta` in JSON.
 *
 * @module
 */

import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import { decodeMeta } from "../snapshot/meta/decode.ts";
import { decodePeers } from "../snapshot/meta/peers.ts";
import type { SnapshotInit, SnapshotMeta } from "../snapshot/types.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import { META } from "./members.ts";

/** What an archive says of its snapshot: all but the CRC of the state. */
export type ArchiveMeta = Omit<SnapshotMeta, "crc">;

/**
 * Reads a `meta.json`; `offset` is where it starts.
 *
 * @throws {SnapshotArchiveError} with the reason `"meta"`.
 * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
 */
export function decodeArchiveMeta(
  bytes: Uint8Array,
  offset: number,
): ArchiveMeta {
  // Go's reader, too, passes over a CRC, as in a meta.json from a store.
  const { version, crc: _, ...rest } = orFault(
    offset,
    () => decodeMeta(bytes, `${META} in the archive`),
  );
  if (version === 0 || version === 1) return { version, ...rest };
  throw new UnsupportedSnapshotVersionError(
    `Cannot use the archive: found a snapshot of version ${version}, ` +
      "expected 0 or 1",
  );
}

/**
 * What a store needs to make the snapshot again. In one of version 0 the servers
 * are in `peers`, as of the snapshot's own index (`installSnapshot` in Go's
 * `raft.go`).
 *
 * @throws {SnapshotArchiveError} with the reason `"meta"`.
 */
export function initOfArchive(meta: ArchiveMeta): SnapshotInit {
  const { version, index, term, peers, configuration, configurationIndex } =
    meta;
  if (version === 1) return { index, term, configuration, configurationIndex };
  return {
    index,
    term,
    configuration: orFault(undefined, () => decodePeers(peers)),
    configurationIndex: index,
  };
}

/** The result, or an error that says that the archive is to blame. */
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
