/**
 * `seal()`: adds `blocks.crc64` to a snapshot without it, because Go wrote it.
 *
 * @module
 */

import { requireKnown } from "../option_names.ts";
import { VERIFY_OPTIONS } from "../snapshot/option_names.ts";
import { toSnapshotError } from "../backend/errors.ts";
import { OperationUnsupportedError, SnapshotError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import {
  BLOCKS_FILE_SIZE_MAX,
  encodeBlocks,
} from "../snapshot/block_checksums.ts";
import type { SnapshotMeta, VerifyOptions } from "../snapshot/types.ts";
import { checkState } from "./check_state.ts";
import { readHeader } from "./header.ts";
import type { StoreParts } from "./parts.ts";

/**
 * Checks a snapshot against its CRC, and writes the checksums of its blocks. A
 * snapshot that has them already is not changed; damaged checksums are
 * replaced.
 */
export async function sealSnapshot(
  parts: StoreParts,
  id: string,
  options: VerifyOptions,
): Promise<SnapshotMeta> {
  requireKnown(options, VERIFY_OPTIONS);
  try {
    return await seal(parts, id, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toSnapshotError(`seal snapshot ${id}`, error);
  }
}

async function seal(
  parts: StoreParts,
  id: string,
  options: VerifyOptions,
): Promise<SnapshotMeta> {
  const { backend, exclusive } = parts;
  const header = await readHeader(parts, id);
  // Checksums of a newer format are better than those that this library writes.
  if (isSnapshotError(header.blocksError, "ERR_SNAPSHOT_VERSION_UNSUPPORTED")) {
    throw header.blocksError;
  }
  if (header.blocks === undefined && !backend.canAddBlocks) {
    throw new OperationUnsupportedError(
      `Cannot seal snapshot ${id}: ${backend.place} can't add block ` +
        "checksums to a snapshot that is published",
    );
  }
  const { blocks, error } = await checkState(parts, header, options);
  if (error !== undefined) throw error;
  if (header.blocks === undefined) {
    const bytes = encodeBlocks(blocks);
    if (bytes.length > BLOCKS_FILE_SIZE_MAX) {
      throw new SnapshotError(
        `Cannot seal snapshot ${id} in ${blocks.crcs.length} blocks: ` +
          "expected fewer; open the store with a larger blockSize",
      );
    }
    await exclusive.run(() => backend.addBlocks(id, bytes));
  }
  return header.meta;
}
