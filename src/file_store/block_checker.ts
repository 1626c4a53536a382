/**
 * The check of a state block by block, on the way to whoever reads it.
 *
 * @module
 */

import { combineCrc64, crc64 } from "../crc64/mod.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import type { BlockChecksums } from "./blocks.ts";
import { badBlock, badState } from "./check.ts";

/** A part of a state: from `start` to before `end`, in bytes. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** The byte after the last one. */
  readonly end: number;
}

/** The blocks that a range touches, as the bytes from their first to last. */
export function alignToBlocks(
  { start, end }: ByteRange,
  blocks: BlockChecksums,
): ByteRange {
  if (start === end) return { start: 0, end: 0 };
  const { blockSize, stateSize } = blocks;
  return {
    start: Math.floor(start / blockSize) * blockSize,
    end: Math.min(Math.ceil(end / blockSize) * blockSize, stateSize),
  };
}

/**
 * Takes the blocks that `range` touches, one a chunk, and hands out exactly the
 * range. A block is handed out only once it has been checked; when the range is
 * the whole state, the CRC of the whole is compared too, before the end.
 */
export function blockChecker(
  meta: SnapshotMeta,
  blocks: BlockChecksums,
  range: ByteRange,
): Transformer<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const isWhole = range.start === 0 && range.end === meta.size;
  let position = alignToBlocks(range, blocks).start;
  let total = 0n;
  return {
    transform(block, controller) {
      const expected = blocks.crcs[position / blocks.blockSize];
      const actual = crc64(block);
      if (actual !== expected) {
        throw badBlock(meta, position, expected ?? 0n, actual);
      }
      total = combineCrc64(total, actual, block.length);
      const wanted = block.subarray(
        Math.max(range.start - position, 0),
        range.end - position,
      );
      position += block.length;
      // The checksums of the blocks may be good, and those of another state.
      const isLast = isWhole && position === meta.size;
      if (isLast && total !== meta.crc) throw badState(meta, total);
      controller.enqueue(wanted);
    },
    flush() {
      if (isWhole && total !== meta.crc) throw badState(meta, total);
    },
  };
}
