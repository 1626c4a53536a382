/**
 * Reading the whole of a snapshot's state to compare it with its CRC.
 *
 * @module
 */

import { Crc64 } from "../crc64/mod.ts";
import { SnapshotCorruptError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import type { SnapshotMeta, VerifyOptions, VerifyReport } from "../snapshot.ts";
import { assertOpen, type StoreContext, toSnapshotError } from "./context.ts";
import { readFully, withFile } from "./files.ts";
import { openState, readMeta } from "./scan.ts";

/**
 * Checks a published snapshot. Finding it corrupt is a result, not a failure.
 */
export async function verifySnapshot(
  context: StoreContext,
  id: string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  let meta: SnapshotMeta | undefined;
  try {
    meta = await readMeta(context, id);
    const checked = meta;
    const file = await openState(context, checked);
    await withFile(file, () => checkState(context, file, checked, options));
    return { id, ok: true, meta, errors: [] };
  } catch (error) {
    if (!(error instanceof SnapshotCorruptError)) throw error;
    context.verdicts.set(id, false);
    return { id, ok: false, meta, errors: [error] };
  }
}

/**
 * Reads the state once. Two blocks are held: one is read while the other is
 * checked.
 *
 * @throws {SnapshotCorruptError} when it is not what was written.
 */
export async function checkState(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
  options: VerifyOptions,
): Promise<void> {
  const { id, size } = meta;
  const crc = new Crc64();
  for await (const block of readBlocks(context, file, meta)) {
    options.signal?.throwIfAborted();
    assertOpen(context);
    crc.update(block.bytes);
    const done = block.position + block.bytes.length;
    options.onProgress?.({ done, total: size });
  }
  const actual = crc.digest();
  context.verdicts.set(id, actual === meta.crc);
  if (actual === meta.crc) return;
  throw new SnapshotCorruptError(`state.bin of snapshot ${id}`, {
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

/** The state in blocks, each read while the caller works on the one before. */
async function* readBlocks(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
): AsyncGenerator<Block> {
  let current = new Uint8Array(Math.min(context.blockSize, meta.size));
  let other = new Uint8Array(current.length);
  let reading = readBlock(file, meta, current, 0);
  try {
    for (let position = 0; position < meta.size;) {
      const bytes = await reading;
      const next = position + bytes.length;
      reading = readBlock(file, meta, other, next);
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
 */
export async function readBlock<Buffer extends Uint8Array>(
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
    throw toSnapshotError(`read snapshot ${meta.id}`, error);
  }
  if (count === wanted) return block;
  throw new SnapshotCorruptError(`state.bin of snapshot ${meta.id}`, {
    reason: "size",
    expected: meta.size,
    actual: position + count,
  });
}
