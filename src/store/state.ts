/**
 * Reads the state of a published snapshot, and checks its length against the
 * metadata.
 *
 * @module
 */

import type { Look, StateHandle } from "../backend/backend.ts";
import { readFully } from "../bytes.ts";
import { SnapshotCorruptError } from "../errors.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { closeQuietly } from "./checked_state.ts";
import type { StoreParts } from "./parts.ts";

/** The whole of a state. */
export function wholeOf({ size }: SnapshotMeta): ByteRange {
  return { start: 0, end: size };
}

/**
 * Opens a state to read the bytes of `range`. The caller must close it.
 *
 * @throws {SnapshotCorruptError} when the state is missing or of another
 * length.
 */
export async function openState(
  { backend }: Pick<StoreParts, "backend">,
  meta: SnapshotMeta,
  range: ByteRange,
): Promise<StateHandle> {
  const handle = await backend.openState(meta.id, range);
  try {
    requireSize(meta, handle.size);
    return handle;
  } catch (error) {
    await closeQuietly(handle);
    throw error;
  }
}

/** Detects a missing or truncated state without opening it. */
export async function checkStateSize(
  { backend }: Pick<StoreParts, "backend">,
  meta: SnapshotMeta,
  look: Look,
): Promise<void> {
  requireSize(meta, await backend.stateSize(meta.id, look));
}

function requireSize(meta: SnapshotMeta, size: number): void {
  if (size !== meta.size) throw wrongSize(meta, size);
}

/**
 * Fills `buffer` from `position` on, or as much of it as the state still has.
 *
 * @throws {SnapshotCorruptError} when the state has become shorter.
 */
export async function readBlock<Buffer extends Uint8Array>(
  handle: StateHandle,
  meta: SnapshotMeta,
  buffer: Buffer,
  position: number,
): Promise<Buffer> {
  const wanted = Math.min(buffer.length, meta.size - position);
  const block = buffer.subarray(0, wanted) as Buffer;
  const count = await readFully(handle, block, position);
  if (count === wanted) return block;
  throw wrongSize(meta, position + count);
}

function wrongSize(meta: SnapshotMeta, actual: number): SnapshotCorruptError {
  return new SnapshotCorruptError(`state.bin of snapshot ${meta.id}`, {
    reason: "size",
    expected: meta.size,
    actual,
  });
}
