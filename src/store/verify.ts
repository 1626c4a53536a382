/**
 * `verify()`: reads a whole snapshot and reports its damage.
 *
 * @module
 */

import { requireKnown } from "../option_names.ts";
import { VERIFY_OPTIONS } from "../snapshot/option_names.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { countBlocks } from "../snapshot/block_checksums.ts";
import type { VerifyOptions, VerifyReport } from "../snapshot/types.ts";
import { checkState } from "./check_state.ts";
import { isCorruption } from "./error_scope.ts";
import { findBadExtra } from "./extra.ts";
import { type CheckedHeader, readHeader } from "./header.ts";
import type { StoreParts } from "./parts.ts";

/**
 * Checks a published snapshot. Finding it corrupt is a result, not a failure.
 */
export async function verifySnapshot(
  parts: StoreParts,
  id: string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  requireKnown(options, VERIFY_OPTIONS);
  let header: CheckedHeader | undefined;
  try {
    options.signal?.throwIfAborted();
    header = await readHeader(parts, id);
    const { meta, blocks, blocksError } = header;
    // A file that could not be read has not been checked.
    if (isSnapshotError(blocksError, "ERR_SNAPSHOT_UNREADABLE")) {
      throw blocksError;
    }
    const check = await checkState(parts, header, options);
    const badExtra = await findBadExtra(parts, id);
    const errors = [blocksError, check.error, badExtra].filter(isCorruption);
    return {
      id,
      ok: errors.length === 0,
      meta,
      sealed: blocks !== undefined,
      blockSize: check.blocks.blockSize,
      blockCount: countBlocks(meta.size, check.blocks.blockSize),
      badOffsets: check.badOffsets,
      errors,
    };
  } catch (error) {
    if (!isCorruption(error)) throw error;
    parts.health.markCorrupt(id);
    return {
      id,
      ok: false,
      meta: header?.meta,
      sealed: header?.blocks !== undefined,
      blockSize: 0,
      blockCount: 0,
      badOffsets: [],
      errors: [error],
    };
  }
}
