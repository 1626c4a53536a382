/**
 * Reading the whole of a snapshot's state to compare it with its checksums.
 *
 * @module
 */

import { combineCrc64, crc64 } from "../crc64/mod.ts";
import { SnapshotCorruptError, SnapshotUnreadableError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type {
  SnapshotMeta,
  VerifyOptions,
  VerifyReport,
} from "../snapshot/types.ts";
import {
  type BlockChecksums,
  countBlocks,
  CrcList,
} from "../snapshot/block_checksums.ts";
import { assertOpen, type StoreContext } from "./context.ts";
import { toLookError } from "./error_scope.ts";
import { readFully } from "../fs/io.ts";
import {
  findBadExtra,
  type LoadedSnapshot,
  loadSnapshot,
  openState,
} from "./load.ts";

/** What came of reading a state once. */
export interface StateCheck {
  /** The checksums that the state really has. */
  readonly blocks: BlockChecksums;
  /** Where the bad blocks start, in bytes. */
  readonly badOffsets: readonly number[];
  /** What is wrong: the first bad block, or else the CRC of the whole. */
  readonly error: SnapshotCorruptError | undefined;
}

/**
 * Checks a published snapshot. Finding it corrupt is a result, not a failure.
 */
export async function verifySnapshot(
  context: StoreContext,
  id: string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  let loaded: LoadedSnapshot | undefined;
  try {
    options.signal?.throwIfAborted();
    loaded = await loadSnapshot(context, id);
    const { meta, blocks, blocksError } = loaded;
    // What could not be read has not been checked.
    if (blocksError instanceof SnapshotUnreadableError) throw blocksError;
    const check = await checkSnapshot(context, loaded, options);
    const badExtra = await findBadExtra(context, id);
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
    context.verdicts.set(id, false);
    return {
      id,
      ok: false,
      meta: loaded?.meta,
      sealed: loaded?.blocks !== undefined,
      blockSize: 0,
      blockCount: 0,
      badOffsets: [],
      errors: [error],
    };
  }
}

/**
 * Whether a snapshot's state can be handed out. Damaged block checksums alone
 * do not stand in the way: the CRC of the whole is left.
 */
export async function isGood(
  context: StoreContext,
  id: string,
): Promise<boolean> {
  try {
    const loaded = await loadSnapshot(context, id);
    const { error } = await checkSnapshot(context, loaded, {});
    return error === undefined;
  } catch (error) {
    if (!isCorruption(error)) throw error;
    context.verdicts.set(id, false);
    return false;
  }
}

function isCorruption(error: unknown): error is SnapshotCorruptError {
  return error instanceof SnapshotCorruptError;
}

async function checkSnapshot(
  context: StoreContext,
  loaded: LoadedSnapshot,
  options: VerifyOptions,
): Promise<StateCheck> {
  const file = await openState(context, loaded.meta);
  try {
    return await checkState(context, file, loaded, options);
  } finally {
    // Nothing was written: a failure here takes nothing away.
    await file.close().catch(() => {});
  }
}

/**
 * Reads the state once and compares it with all the checksums there are.
 *
 * @throws {SnapshotCorruptError} when the file has become shorter.
 */
export async function checkState(
  context: StoreContext,
  file: FileHandle,
  { meta, metaCrc, blocks }: LoadedSnapshot,
  { signal, onProgress }: VerifyOptions,
): Promise<StateCheck> {
  const blockSize = blocks?.blockSize ?? context.blockSize;
  const crcs = new CrcList();
  const badOffsets: number[] = [];
  let error: SnapshotCorruptError | undefined;
  let total = 0n;
  let i = 0;
  const source = readBlocks(context, file, meta, blockSize);
  for await (const { position, bytes } of source) {
    signal?.throwIfAborted();
    assertOpen(context);
    const crc = crc64(bytes);
    crcs.push(crc);
    total = combineCrc64(total, crc, bytes.length);
    const expected = blocks?.crcs[i++];
    if (expected !== undefined && expected !== crc) {
      badOffsets.push(position);
      error ??= badBlock(meta, position, expected, crc);
    }
    onProgress?.({ done: position + bytes.length, total: meta.size });
  }
  // It may have been during the last read, or there is nothing to read.
  signal?.throwIfAborted();
  if (total !== meta.crc) error ??= badState(meta, total);
  context.verdicts.set(meta.id, error === undefined);
  return {
    blocks: {
      blockSize,
      stateSize: meta.size,
      metaCrc,
      crcs: crcs.toArray(),
    },
    badOffsets,
    error,
  };
}

/** A block is not what was written. */
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

/** The state as a whole is not what was written. */
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

/** A piece of the state. Its bytes are overwritten after the next one. */
interface Block {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * The state in blocks. Two are held: one is read while the caller works on the
 * other.
 */
async function* readBlocks(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
  blockSize: number,
): AsyncGenerator<Block> {
  let current = new Uint8Array(Math.min(blockSize, meta.size));
  let other = new Uint8Array(current.length);
  let reading = readBlock(context, file, meta, current, 0);
  try {
    for (let position = 0; position < meta.size;) {
      const bytes = await reading;
      const next = position + bytes.length;
      reading = readBlock(context, file, meta, other, next);
      yield { position, bytes };
      [current, other] = [other, current];
      position = next;
    }
  } finally {
    // The file must not be closed under a read.
    await reading.catch(() => {});
  }
}

/**
 * Fills `buffer` from `position` on, or as much of it as the state still has.
 *
 * @throws {SnapshotCorruptError} when the file has become shorter.
 * @throws {SnapshotUnreadableError} when the system does not let it be read.
 * @throws {StoreAccessError} when the system's error is not about this snapshot.
 */
export async function readBlock<Buffer extends Uint8Array>(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
  buffer: Buffer,
  position: number,
): Promise<Buffer> {
  const wanted = Math.min(buffer.length, meta.size - position);
  const block = buffer.subarray(0, wanted) as Buffer;
  let count: number;
  try {
    count = await readFully(file, block, position);
  } catch (error) {
    throw await toLookError(
      context,
      `read state.bin of snapshot ${meta.id}`,
      error,
    );
  }
  if (count === wanted) return block;
  throw new SnapshotCorruptError(`state.bin of snapshot ${meta.id}`, {
    reason: "size",
    expected: meta.size,
    actual: position + count,
  });
}
