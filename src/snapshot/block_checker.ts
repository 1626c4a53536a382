/**
 * The check of a state block by block, on the way to the reader.
 *
 * @module
 */

import type { ByteChecker } from "../crc64/check_stream.ts";
import { combineCrc64, crc64 } from "../crc64/mod.ts";
import { SnapshotCorruptError } from "../errors.ts";
import type { ByteRange } from "./open_options.ts";
import type { SnapshotMeta } from "./types.ts";
import type { BlockChecksums } from "./block_checksums.ts";

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

/** Reads a block again from its place. */
export type Reread = (block: Uint8Array, position: number) => Promise<void>;

/** How often a bad block is read again. */
const REREADS_MAX = 3;

/** Reads a bad block again until it is right; `false` when it stays wrong. */
export async function mendBlock(
  block: Uint8Array,
  { position, expected }: {
    readonly position: number;
    readonly expected: bigint;
  },
  reread: Reread,
): Promise<boolean> {
  for (let i = 0; i < REREADS_MAX; i++) {
    await reread(block, position);
    if (crc64(block) === expected) return true;
  }
  return false;
}

/** The range to check, and the checksums. */
export interface BlockCheckerOptions {
  /** The checksums of all blocks. */
  readonly blocks: BlockChecksums;
  /** The part of the state that is handed out. */
  readonly range: ByteRange;
  /** Reads a bad block again. */
  readonly reread?: Reread | undefined;
}

/**
 * Takes the blocks that `range` touches, in chunks of whole blocks, and hands
 * out exactly the range. A block is handed out only once it has been checked;
 * when the range is the whole state, the CRC of the whole is compared too,
 * before the end.
 */
export function blockChecker(
  meta: SnapshotMeta,
  { blocks, range, reread }: BlockCheckerOptions,
): ByteChecker {
  const { blockSize, crcs } = blocks;
  const isWhole = range.start === 0 && range.end === meta.size;
  let position = alignToBlocks(range, blocks).start;
  let total = 0n;

  /** Checks a chunk, from a block on, up to its first bad block. */
  const check = (run: Uint8Array, from: number): BlockCheck => {
    for (let good = from; good < run.length; good += blockSize) {
      const block = run.subarray(good, good + blockSize);
      const offset = position + good;
      const expected = crcs[offset / blockSize] ?? 0n;
      const actual = crc64(block);
      if (actual !== expected) {
        return { good, error: badBlock(meta, offset, expected, actual) };
      }
      total = combineCrc64(total, actual, block.length);
      // The block checksums may be intact but belong to another state.
      const isLast = isWhole && offset + block.length === meta.size;
      if (isLast && total !== meta.crc) {
        return { good, error: badState(meta, total) };
      }
    }
    return { good: run.length, error: undefined };
  };

  /** Checks the rest of a chunk, and reads each bad block again. */
  const mend = async (
    run: Uint8Array,
    first: BlockCheck,
    reread: Reread,
  ): Promise<BlockCheck> => {
    let found = first;
    while (found.error?.reason === "block") {
      const { good } = found;
      const block = run.subarray(good, good + blockSize);
      const offset = position + good;
      const expected = crcs[offset / blockSize] ?? 0n;
      if (!await mendBlock(block, { position: offset, expected }, reread)) {
        break;
      }
      found = check(run, good);
    }
    return found;
  };

  const handOut = (
    run: Uint8Array<ArrayBuffer>,
    { good, error }: BlockCheck,
    output: Parameters<ByteChecker["transform"]>[1],
  ) => {
    // Not a view, because its buffer would still hold the bytes of the bad
    // block.
    const checked = error === undefined ? run : run.slice(0, good);
    const wanted = checked.subarray(
      Math.max(range.start - position, 0),
      range.end - position,
    );
    position += run.length;
    if (wanted.length > 0) output.enqueue(wanted);
    if (error !== undefined) throw error;
  };

  return {
    transform(run, output) {
      const found = check(run, 0);
      if (found.error === undefined || reread === undefined) {
        return handOut(run, found, output);
      }
      return mend(run, found, reread).then((mended) =>
        handOut(run, mended, output)
      );
    },
    flush() {
      if (isWhole && total !== meta.crc) throw badState(meta, total);
    },
  };
}

/** The result of checking a few blocks. */
interface BlockCheck {
  /** The bytes before the first bad block. */
  readonly good: number;
  /** The fault of that block. */
  readonly error: SnapshotCorruptError | undefined;
}

/** The error for a block whose bytes are not the written ones. */
export function badBlock(
  meta: SnapshotMeta,
  offset: number,
  expected: bigint,
  actual: bigint,
): SnapshotCorruptError {
  const what = `state.bin of snapshot ${meta.id}`;
  return new SnapshotCorruptError(what, {
    reason: "block",
    expected,
    actual,
    offset,
  });
}

/** The error for a state whose bytes, as a whole, are not the written ones. */
export function badState(
  meta: SnapshotMeta,
  actual: bigint,
): SnapshotCorruptError {
  const what = `state.bin of snapshot ${meta.id}`;
  return new SnapshotCorruptError(what, {
    reason: "crc",
    expected: meta.crc,
    actual,
  });
}
