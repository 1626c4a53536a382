/**
 * Reads the metadata and block checksums of a published snapshot, and checks all
 * of it (`readMeta` in Go's `file_snapshot.go`).
 *
 * @module
 */

import type { Look } from "../backend/backend.ts";
import { crc64 } from "../crc64/mod.ts";
import {
  SnapshotCorruptError,
  type SnapshotError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import {
  type BlockChecksums,
  BLOCKS_FILE_SIZE_MAX,
  decodeBlocks,
} from "../snapshot/block_checksums.ts";
import { corruptMeta } from "../snapshot/meta/corrupt_meta.ts";
import { decodeRecord, META_SIZE_MAX } from "../snapshot/meta/decode.ts";
import { isKnown, type KnownRecord, toMeta } from "../snapshot/meta/file.ts";
import type { SnapshotHeader, SnapshotMeta } from "../snapshot/types.ts";
import { quote } from "../text.ts";
import { concernsSnapshot } from "./error_scope.ts";
import type { StoreParts } from "./parts.ts";

/** A published snapshot whose state has not been read. */
export interface CheckedHeader {
  /** Its metadata. */
  readonly meta: SnapshotMeta;
  /** The exact bytes from which the fields were read. */
  readonly files: SnapshotHeader;
  /** CRC-64 of the exact bytes of its `meta.json`. */
  readonly metaCrc: bigint;
  /**
   * Its block checksums; `undefined` when Go wrote the snapshot, or when they
   * are damaged.
   */
  readonly blocks: BlockChecksums | undefined;
  /**
   * Why there are no block checksums although there is a file of them. Always
   * about this snapshot: an error of the place is thrown.
   */
  readonly blocksError: SnapshotError | undefined;
}

type Parts = Pick<StoreParts, "backend" | "report">;

/** A look at a snapshot that was not just listed. */
const newLook = (): Look => ({ isListed: false });

/**
 * Reads the header of a published snapshot. `id` must be a valid ID.
 *
 * @throws {SnapshotNotFoundError} when there is no such snapshot.
 * @throws {SnapshotCorruptError} when its metadata can't be trusted.
 * @throws {SnapshotUnreadableError} when an error of the system keeps it from
 * being read.
 * @throws {StoreAccessError} when the system's error is not about this snapshot.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 */
export async function readHeader(
  parts: Parts,
  id: string,
  look: Look = newLook(),
): Promise<CheckedHeader> {
  const what = `meta.json of snapshot ${id}`;
  const bytes = await parts.backend.readMeta(id, META_SIZE_MAX, look);
  const decoded = decodeRecord(bytes, what);
  const meta = isKnown(decoded) ? metaOf(decoded, id, what) : undefined;
  const metaCrc = crc64(bytes);
  const read = await readBlocks(parts, decoded.size, { id, look });
  const { blocks, blocksBytes, blocksError } = read;
  if (blocks !== undefined && blocks.metaCrc !== metaCrc) {
    throw new SnapshotCorruptError(what, {
      reason: "meta",
      expected: `CRC-64 ${blocks.metaCrc.toString(16)}`,
      actual: `CRC-64 ${metaCrc.toString(16)}`,
    });
  }
  // Checked after the CRC, because a flipped bit can make another version.
  if (meta === undefined) {
    throw new UnsupportedSnapshotVersionError(
      `Cannot use snapshot ${id}: found version ${decoded.version}, ` +
        "expected 0 or 1",
    );
  }
  const files = { meta: bytes, blocks: blocksBytes };
  return { meta, metaCrc, files, blocks, blocksError };
}

/** The metadata of a record, checked against the snapshot's ID. */
function metaOf(record: KnownRecord, id: string, what: string): SnapshotMeta {
  if (record.id === id) return toMeta(record, what);
  // A copied or renamed directory must not be taken for the original.
  throw corruptMeta(what, {
    expected: `the ID ${id}`,
    actual: quote(record.id),
  });
}

/** The block checksums, and the bytes that they were read from. */
interface ReadBlocks extends Pick<CheckedHeader, "blocks" | "blocksError"> {
  readonly blocksBytes: Uint8Array | undefined;
}

const NO_BLOCKS: ReadBlocks = {
  blocks: undefined,
  blocksBytes: undefined,
  blocksError: undefined,
};

/** A damaged file of checksums is not trusted; the CRC of the state remains. */
async function readBlocks(
  { backend, report }: Parts,
  stateSize: number,
  { id, look }: { readonly id: string; readonly look: Look },
): Promise<ReadBlocks> {
  const what = `blocks.crc64 of snapshot ${id}`;
  try {
    const bytes = await backend.readBlocks(id, BLOCKS_FILE_SIZE_MAX, look);
    // Go writes none.
    if (bytes === undefined) return NO_BLOCKS;
    const blocks = decodeBlocks(bytes, what);
    if (blocks.stateSize === stateSize) {
      return { ...NO_BLOCKS, blocks, blocksBytes: bytes };
    }
    throw new SnapshotCorruptError(`state size in ${what}`, {
      reason: "block",
      expected: stateSize,
      actual: blocks.stateSize,
    });
  } catch (error) {
    if (!concernsSnapshot(error)) throw error;
    report({ type: "checksumsIgnored", id, error });
    return { ...NO_BLOCKS, blocksError: error };
  }
}
