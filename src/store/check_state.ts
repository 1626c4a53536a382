/**
 * Reads the whole state of a snapshot and compares it with its checksums.
 *
 * @module
 */

import type { StateHandle } from "../backend/backend.ts";
import { combineCrc64, crc64 } from "../crc64/mod.ts";
import type { SnapshotCorruptError } from "../errors.ts";
import { badBlock, badState, mendBlock } from "../snapshot/block_checker.ts";
import { type BlockChecksums, CrcList } from "../snapshot/block_checksums.ts";
import type { SnapshotMeta, VerifyOptions } from "../snapshot/types.ts";
import { closeQuietly } from "./checked_state.ts";
import { isCorruption } from "./error_scope.ts";
import { type CheckedHeader, readHeader } from "./header.ts";
import type { StoreParts } from "./parts.ts";
import { openState, readBlock, wholeOf } from "./state.ts";

/** The result of reading a state once. */
export interface StateCheck {
  /** The checksums that the state really has. */
  readonly blocks: BlockChecksums;
  /** Where the bad blocks start, in bytes. */
  readonly badOffsets: readonly number[];
  /** The fault: the first bad block, or else the CRC of the whole. */
  readonly error: SnapshotCorruptError | undefined;
}

/**
 * Reads the whole state of a snapshot and tells whether it can be handed out.
 * Damaged block checksums alone do not prevent that, because the CRC of the
 * whole can still be checked.
 */
export async function stateMatchesChecksums(
  parts: StoreParts,
  id: string,
): Promise<boolean> {
  try {
    const { error } = await checkState(parts, await readHeader(parts, id), {});
    return error === undefined;
  } catch (error) {
    if (!isCorruption(error)) throw error;
    parts.health.markCorrupt(id);
    return false;
  }
}

/** Opens the state, reads it once and compares it with its checksums. */
export async function checkState(
  parts: StoreParts,
  header: CheckedHeader,
  options: VerifyOptions,
): Promise<StateCheck> {
  const handle = await openState(parts, header.meta, wholeOf(header.meta));
  try {
    return await checkOpenState(parts, handle, header, options);
  } finally {
    await closeQuietly(handle);
  }
}

/**
 * Reads the state once and compares it with all the checksums there are. It ends
 * soon when the signal aborts or the store is closed, also during a read.
 *
 * @throws {SnapshotCorruptError} when the state has become shorter.
 */
export async function checkOpenState(
  parts: StoreParts,
  handle: StateHandle,
  header: CheckedHeader,
  options: VerifyOptions,
): Promise<StateCheck> {
  const { signal } = options;
  const forget = parts.streams.add(() => handle.close());
  const onAbort = () => void closeQuietly(handle);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    // The caller may have left, or the store been closed, while it was opened.
    signal?.throwIfAborted();
    parts.backend.assertOpen();
    const check = await compare(parts, handle, header, options);
    const mayBeTheWay = handle.reread !== undefined &&
      header.blocks === undefined;
    if (check.error === undefined || !mayBeTheWay) return check;
    // No checksum shows which bytes are wrong, so all are read again, once.
    return await compare(parts, handle, header, { signal });
  } catch (error) {
    // A read that the signal has ended says nothing about the snapshot.
    signal?.throwIfAborted();
    parts.backend.assertOpen();
    throw error;
  } finally {
    forget();
    signal?.removeEventListener("abort", onAbort);
  }
}

async function compare(
  { backend, blockSize: ownBlockSize, health }: StoreParts,
  handle: StateHandle,
  { meta, metaCrc, blocks }: CheckedHeader,
  { signal, onProgress }: VerifyOptions,
): Promise<StateCheck> {
  const blockSize = blocks?.blockSize ?? ownBlockSize;
  const crcs = new CrcList();
  const badOffsets: number[] = [];
  let error: SnapshotCorruptError | undefined;
  let total = 0n;
  let i = 0;
  for await (const { position, bytes } of readBlocks(handle, meta, blockSize)) {
    signal?.throwIfAborted();
    backend.assertOpen();
    const expected = blocks?.crcs[i++];
    const crc = await readCrc(handle, { position, bytes, expected });
    crcs.push(crc);
    total = combineCrc64(total, crc, bytes.length);
    if (expected !== undefined && expected !== crc) {
      badOffsets.push(position);
      error ??= badBlock(meta, position, expected, crc);
    }
    onProgress?.({ done: position + bytes.length, total: meta.size });
  }
  // The signal may have aborted during the last read, or an empty state had
  // none.
  signal?.throwIfAborted();
  if (total !== meta.crc) error ??= badState(meta, total);
  if (error === undefined) health.markGood(meta.id);
  else health.markCorrupt(meta.id);
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

/** The CRC of a block; it is read again when that is not the expected one. */
async function readCrc(
  { reread }: StateHandle,
  { position, bytes, expected }: Block & {
    readonly expected: bigint | undefined;
  },
): Promise<bigint> {
  const crc = crc64(bytes);
  if (expected === undefined || crc === expected || reread === undefined) {
    return crc;
  }
  await mendBlock(bytes, { position, expected }, reread);
  return crc64(bytes);
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
  handle: StateHandle,
  meta: SnapshotMeta,
  blockSize: number,
): AsyncGenerator<Block> {
  let current = new Uint8Array(Math.min(blockSize, meta.size));
  let other = new Uint8Array(current.length);
  let reading = readBlock(handle, meta, current, 0);
  try {
    for (let position = 0; position < meta.size;) {
      const bytes = await reading;
      const next = position + bytes.length;
      reading = readBlock(handle, meta, other, next);
      yield { position, bytes };
      [current, other] = [other, current];
      position = next;
    }
  } finally {
    // The handle must not be closed under a read.
    await reading.catch(() => {});
  }
}
