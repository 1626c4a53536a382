/**
 * The reading end of a snapshot as a web stream (`Open` in Go's
 * `file_snapshot.go`). Go checks the whole state, then reads it again and hands
 * out what it did not check; here what is handed out is what was checked.
 *
 * @module
 */

import { type ByteChecker, crc64Checker } from "../crc64/check_stream.ts";
import { SnapshotCorruptError } from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
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
import { alignToBlocks, blockChecker } from "../snapshot/block_checker.ts";
import type { BlockChecksums } from "../snapshot/block_checksums.ts";
import { checkState } from "./check.ts";
import type { StoreContext } from "./context.ts";
import { type LoadedSnapshot, loadSnapshot, openState } from "./load.ts";
import { StateReader } from "./state_reader.ts";

/** Options of {@linkcode openSource}. */
export interface SourceOptions extends OpenOptions {
  /**
   * Told why the state could not be read, before the caller is: what the caller
   * makes of it may hide the reason, as a `Response` does.
   */
  readonly onReadFailure?: (error: unknown) => void;
}

/** Opens a published snapshot; `id` must have passed the grammar. */
export async function openSource(
  context: StoreContext,
  id: string,
  options: SourceOptions,
): Promise<SnapshotSource> {
  const verify = requireMode(options);
  options.signal?.throwIfAborted();
  const loaded = await loadJudged(context, id);
  const { meta } = loaded;
  const range = requireRange(options, meta);
  const file = await openState(context, meta);
  try {
    const blocks = await checkAhead(context, file, loaded, verify, options);
    options.signal?.throwIfAborted();
    return blocks === undefined
      ? makeWholeSource(context, file, meta, options)
      : makeBlockSource(context, file, meta, { blocks, range }, options);
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

async function loadJudged(
  context: StoreContext,
  id: string,
): Promise<LoadedSnapshot> {
  try {
    return await loadSnapshot(context, id);
  } catch (error) {
    if (error instanceof SnapshotCorruptError) context.verdicts.set(id, false);
    throw error;
  }
}

/**
 * The checksums that the blocks are to be checked with on their way out, after
 * a first reading where the mode or the lack of checksums asks for one. None
 * where the whole is to be checked at its end.
 */
async function checkAhead(
  context: StoreContext,
  file: FileHandle,
  loaded: LoadedSnapshot,
  verify: VerifyMode,
  options: OpenOptions,
): Promise<BlockChecksums | undefined> {
  const { start, end, signal } = options;
  const isWhole = start === undefined && end === undefined;
  if (verify === "stream" && isWhole) return undefined;
  if (verify !== "before" && loaded.blocks !== undefined) return loaded.blocks;
  // Go's snapshots have none: this reading finds out what they would be.
  const check = await checkState(
    context,
    file,
    loaded,
    signal === undefined ? {} : { signal },
  );
  if (check.error !== undefined) throw check.error;
  return check.blocks;
}

function makeWholeSource(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
  options: SourceOptions,
): SnapshotSource {
  const { size, crc } = meta;
  const range = { start: 0, end: size };
  const reader = new StateReader(context, file, meta, range, context.blockSize);
  const name = `state.bin of snapshot ${meta.id}`;
  const checker = crc64Checker({ crc, size, name });
  return makeSource(reader, checker, options, size);
}

function makeBlockSource(
  context: StoreContext,
  file: FileHandle,
  meta: SnapshotMeta,
  { blocks, range }: {
    readonly blocks: BlockChecksums;
    readonly range: ByteRange;
  },
  options: SourceOptions,
): SnapshotSource {
  const aligned = alignToBlocks(range, blocks);
  const { blockSize } = blocks;
  const reader = new StateReader(context, file, meta, aligned, blockSize);
  const checker = blockChecker(meta, blocks, range);
  return makeSource(reader, checker, options, range.end - range.start);
}

type Bytes = Uint8Array<ArrayBuffer>;

function makeSource(
  reader: StateReader,
  checker: ByteChecker,
  { signal, onProgress, onReadFailure }: SourceOptions,
  total: number,
): SnapshotSource {
  let done = 0;
  let enqueue: (chunk: Bytes) => void = () => {};
  const output = {
    enqueue(chunk: Bytes) {
      enqueue(chunk);
      done += chunk.length;
      onProgress?.({ done, total });
    },
  };
  const nextRun = async () => {
    try {
      return await reader.next();
    } catch (error) {
      onReadFailure?.(error);
      throw error;
    }
  };
  const check = new TransformStream<Bytes, Bytes>({
    start: (controller) => {
      // Here, not in the stream below: that may have been read to its end.
      reader.onAbort = (reason) => controller.error(reason);
      enqueue = (chunk) => controller.enqueue(chunk);
    },
    transform: (chunk) => checker.transform(chunk, output),
    flush: () => checker.flush(output),
  });
  const stream = new ReadableStream<Bytes>({
    pull: async (controller) => {
      const run = await nextRun();
      if (run !== undefined) controller.enqueue(run);
      if (reader.isAtEnd) {
        await reader.end();
        controller.close();
      }
    },
    cancel: () => reader.end(),
    // The reader reads ahead: what it has need not wait here, too.
  }, { highWaterMark: 0 });
  const onAbort = () => void reader.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const settle = async (error?: unknown) => {
    signal?.removeEventListener("abort", onAbort);
    await reader.settle(error);
  };
  stream.pipeTo(check.writable).then(() => settle(), settle);
  return Object.defineProperty(check.readable, "meta", {
    value: reader.meta,
    enumerable: true,
  }) as SnapshotSource;
}
