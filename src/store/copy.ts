/**
 * Copies a snapshot from one store to another.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { addExtra, ORIGIN, readExtra } from "../snapshot/extras.ts";
import { takenAtOr } from "../snapshot/taken_at.ts";
import { assertNotTooLarge, requireMaxSize } from "../snapshot/max_size.ts";
import type {
  Progress,
  SnapshotMeta,
  SnapshotSink,
} from "../snapshot/types.ts";
import type { SnapshotReader, SnapshotStore } from "../snapshot/stores.ts";
import { Sink, writeDirectly } from "./sink.ts";
import { BackedStore, hostOf } from "./store.ts";
import { writeAgain } from "./write_again.ts";

/** Options of {@linkcode copySnapshot}. */
export interface CopyOptions {
  /** Stops the copy when it aborts; no part of the copy stays. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called as bytes are copied. When the copy starts again, `done` does, too.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Copies nothing when the target lists a snapshot of the same index, term,
   * size and CRC; the call then resolves to that one. (IDs differ between
   * stores.) @default {false}
   */
  readonly ifMissing?: boolean | undefined;
  /**
   * The largest state to copy, in bytes; nothing is opened or written for a
   * larger one. @default {no limit}
   */
  readonly maxSize?: number | undefined;
}

const COPY_OPTIONS: OptionNames<CopyOptions> = {
  signal: true,
  onProgress: true,
  ifMissing: true,
  maxSize: true,
};

/**
 * Copies a snapshot to another store, where it gets an ID of its own; resolves
 * to the copy's metadata once it is published. Every byte is checked: against
 * the block checksums as it is read, and by size and CRC before the copy is
 * published. When only the CRC of the whole is wrong, or the snapshot was
 * replaced meanwhile, the copy starts again, once; when the target has lost bytes
 * that were good (`WriteAgainError` of a backend), twice more. The files that an import has
 * kept of its archive are copied too. The copy says when the state was taken
 * (`takenAt`).
 *
 * @throws {SnapshotNotFoundError} when `from` has no snapshot of that ID.
 * @throws {InvalidSnapshotIdError} when `id` is not an ID.
 * @throws {SnapshotCorruptError} when the snapshot is corrupt.
 * @throws {SnapshotTooLargeError} when its state is larger than `maxSize`.
 * @throws {SnapshotPublishError} when the copy can't be written or published.
 * @throws {SnapshotError} as `open()` and `create()` of the two stores.
 *
 * @example Copy the newest snapshot to another directory
 * ```ts
 * import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
 *
 * async function backUp(from: string, to: string): Promise<void> {
 *   const source = await openFileSnapshotStore(from, { readOnly: true });
 *   const target = await openFileSnapshotStore(to, { retain: 7 });
 *   const [newest] = await source.list();
 *   if (newest !== undefined) {
 *     await copySnapshot(source, newest.id, target, { ifMissing: true });
 *   }
 *   await Promise.all([source.close(), target.close()]);
 * }
 * ```
 */
export async function copySnapshot(
  from: Pick<SnapshotReader, "open" | "stat">,
  id: string,
  to: Pick<SnapshotStore, "create" | "list">,
  options: CopyOptions = {},
): Promise<SnapshotMeta> {
  requireKnown(options, COPY_OPTIONS);
  const { signal, ifMissing = false } = options;
  const maxSize = requireMaxSize(options.maxSize);
  signal?.throwIfAborted();
  const meta = await from.stat(id);
  assertNotTooLarge(meta, maxSize);
  if (ifMissing) {
    const same = (await to.list()).find((each) => isSame(each, meta));
    if (same !== undefined) return same;
  }
  // A store of another kind has nothing that takes events.
  const report = to instanceof BackedStore ? hostOf(to).report : () => {};
  const copyOf = (meta: SnapshotMeta) =>
    writeAgain(() => copy(from, meta, to, options), { signal, report });
  try {
    return await copyOf(meta);
  } catch (error) {
    if (!mayHaveChanged(error)) throw error;
    const now = await from.stat(id);
    assertNotTooLarge(now, maxSize);
    return await copyOf(now);
  }
}

/**
 * Whether another attempt may succeed: the CRC of the whole was wrong, perhaps
 * because bytes were damaged on their way, or the snapshot was replaced while
 * it was read.
 */
function mayHaveChanged(error: unknown): boolean {
  return isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND") ||
    isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT") && error.reason === "crc";
}

async function copy(
  from: Pick<SnapshotReader, "open">,
  meta: SnapshotMeta,
  to: Pick<SnapshotStore, "create">,
  { signal, onProgress }: CopyOptions,
): Promise<SnapshotMeta> {
  const origin = await readExtra(from, meta.id, ORIGIN);
  // One pass, also without block checksums, because the copy's bytes are
  // checked before it is published.
  const openOptions = {
    verify: "stream",
    signal,
    onProgress,
    reuseBuffers: true,
  } as const;
  const source = await from.open(meta.id, openOptions);
  let sink;
  try {
    const { size, crc, takenAt = takenAtOr(meta.createdAt) } = meta;
    const init = { ...meta, takenAt };
    sink = await to.create(init, { signal, expected: { size, crc } });
  } catch (error) {
    await source.cancel(error).catch(() => {});
    throw error;
  }
  // The source has the next bytes read meanwhile, and leaves these as they are
  // until they are written; a reader of another library may not.
  if (from instanceof BackedStore && sink instanceof Sink) writeDirectly(sink);
  if (origin !== undefined) {
    addExtra(sink, () => ({ name: ORIGIN, bytes: origin }));
  }
  await source.pipeTo(withoutQueue(sink));
  return sink.meta;
}

/**
 * A stream to the sink that requests a chunk only when the last one is written,
 * because then the last one's buffer is reused.
 */
function withoutQueue(sink: SnapshotSink): WritableStream<Uint8Array> {
  const writer = sink.getWriter();
  return new WritableStream({
    start(controller) {
      // The sink may fail while the pipe waits for the source.
      writer.closed.catch((error) => controller.error(error));
    },
    write: (chunk) => writer.write(chunk),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}

function isSame(one: SnapshotMeta, other: SnapshotMeta): boolean {
  return one.index === other.index && one.term === other.term &&
    one.size === other.size && one.crc === other.crc;
}
