/**
 * `open()`: a published snapshot as a checked source (`Open` in Go's
 * `file_snapshot.go`). Go checks the whole state, then reads it again and hands
 * out the second reading unchecked; here every byte is checked as it is read.
 *
 * @module
 */

import type { StateHandle } from "../backend/backend.ts";
import { type ByteChecker, crc64Checker } from "../crc64/check_stream.ts";
import { alignToBlocks, blockChecker } from "../snapshot/block_checker.ts";
import type { BlockChecksums } from "../snapshot/block_checksums.ts";
import {
  type ByteRange,
  requireMode,
  requireRange,
} from "../snapshot/open_options.ts";
import type {
  OpenOptions,
  SnapshotMeta,
  SnapshotSource,
  VerifyMode,
} from "../snapshot/types.ts";
import { checkOpenState } from "./check_state.ts";
import { closeQuietly } from "./checked_state.ts";
import { isCorruption } from "./error_scope.ts";
import { type CheckedHeader, readHeader } from "./header.ts";
import type { StoreParts } from "./parts.ts";
import { type MadeSource, makeSource } from "./source.ts";
import { withMeta } from "./source_with_meta.ts";
import { openState, wholeOf } from "./state.ts";
import { type StateRange, StateReader } from "./state_reader.ts";

/** Options of {@linkcode openSource}. */
export interface OpenSourceOptions extends OpenOptions {
  /** Called with the source's inner form. */
  readonly onMade?: (made: MadeSource) => void;
}

/** Opens a published snapshot; `id` must be a valid ID. */
export async function openSource(
  parts: StoreParts,
  id: string,
  options: OpenSourceOptions,
): Promise<SnapshotSource> {
  const verify = requireMode(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const header = await readHeaderAndNote(parts, id);
  const { meta } = header;
  const range = requireRange(options, meta);
  const plan = planOf(header, verify, options);
  const handle = await openState(parts, meta, rangeToRead(plan, range, meta));
  try {
    const blocks = plan === "read first"
      ? await checkAhead(parts, handle, header, signal)
      : plan;
    signal?.throwIfAborted();
    parts.backend.assertOpen();
    return blocks === "at the end"
      ? wholeSource(parts, handle, meta, options)
      : blockSource(parts, handle, meta, { blocks, range }, options);
  } catch (error) {
    await closeQuietly(handle);
    throw error;
  }
}

async function readHeaderAndNote(
  parts: StoreParts,
  id: string,
): Promise<CheckedHeader> {
  try {
    return await readHeader(parts, id);
  } catch (error) {
    if (isCorruption(error)) parts.health.markCorrupt(id);
    throw error;
  }
}

/**
 * How the bytes are checked: block by block, with existing checksums or with
 * those that a first reading computes; or as a whole at the end.
 */
type CheckPlan = BlockChecksums | "read first" | "at the end";

function planOf(
  { blocks }: CheckedHeader,
  verify: VerifyMode,
  { start, end }: OpenOptions,
): CheckPlan {
  const isWhole = start === undefined && end === undefined;
  if (verify !== "before" && blocks !== undefined) return blocks;
  if (verify === "stream" && isWhole) return "at the end";
  // Go's snapshots have no block checksums, so a first reading computes them.
  return "read first";
}

/** The bytes that will be read, for the backend. */
function rangeToRead(
  plan: CheckPlan,
  range: ByteRange,
  meta: SnapshotMeta,
): ByteRange {
  return typeof plan === "string" ? wholeOf(meta) : alignToBlocks(range, plan);
}

async function checkAhead(
  parts: StoreParts,
  handle: StateHandle,
  header: CheckedHeader,
  signal: AbortSignal | undefined,
): Promise<BlockChecksums> {
  const check = await checkOpenState(parts, handle, header, { signal });
  if (check.error !== undefined) throw check.error;
  return check.blocks;
}

function wholeSource(
  parts: StoreParts,
  handle: StateHandle,
  meta: SnapshotMeta,
  options: OpenSourceOptions,
): SnapshotSource {
  const { size, crc, id } = meta;
  const { blockSize } = parts;
  const name = `state.bin of snapshot ${id}`;
  const checker = crc64Checker({ crc, size, name });
  const { reuseBuffers } = options;
  const range = { ...wholeOf(meta), blockSize, reuseBuffers };
  return checkedSource(
    parts,
    handle,
    meta,
    { checker, range, total: size },
    options,
  );
}

function blockSource(
  parts: StoreParts,
  handle: StateHandle,
  meta: SnapshotMeta,
  { blocks, range }: {
    readonly blocks: BlockChecksums;
    readonly range: ByteRange;
  },
  options: OpenSourceOptions,
): SnapshotSource {
  const { blockSize } = blocks;
  const { reuseBuffers } = options;
  return checkedSource(parts, handle, meta, {
    checker: blockChecker(meta, { blocks, range, reread: handle.reread }),
    range: { ...alignToBlocks(range, blocks), blockSize, reuseBuffers },
    total: range.end - range.start,
  }, options);
}

/** The bytes that a source reads, and their check. */
interface SourcePlan {
  readonly checker: ByteChecker;
  readonly range: StateRange;
  readonly total: number;
}

function checkedSource(
  parts: StoreParts,
  handle: StateHandle,
  meta: SnapshotMeta,
  { checker, range, total }: SourcePlan,
  { signal, onProgress, onMade }: OpenSourceOptions,
): SnapshotSource {
  const { health, streams } = parts;
  const made = makeSource(
    new StateReader(parts, handle, meta, range),
    {
      checker,
      signal,
      onBytes: onProgress && ((done) => onProgress({ done, total })),
      onEnd: ({ reason }) => {
        forget();
        // A snapshot that was good when it was written may have become corrupt,
        // so it must be read again.
        if (isCorruption(reason)) health.forget(meta.id);
      },
    },
  );
  const forget = streams.add(made.abort);
  onMade?.(made);
  return withMeta(made, meta, "SnapshotSource");
}
