/**
 * `create()` and `save()`: the two ways to write a snapshot.
 *
 * @module
 */

import { requireKnown } from "../option_names.ts";
import { CREATE_OPTIONS, SAVE_OPTIONS } from "../snapshot/option_names.ts";
import { resolveInit } from "../snapshot/init.ts";
import type {
  CreateOptions,
  SaveOptions,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  StateInput,
} from "../snapshot/types.ts";
import { beginSnapshot } from "./begin.ts";
import { Completion, type CompletionOptions } from "./completion.ts";
import { requireExpected } from "./create_options.ts";
import type { IdClock } from "./id_clock.ts";
import type { Abort } from "./open_streams.ts";
import type { StoreParts } from "./parts.ts";
import type { Reaper } from "./reaper.ts";
import { saveChunks } from "./save.ts";
import { Sink } from "./sink.ts";
import type { SnapshotWriter } from "./snapshot_writer.ts";
import { canReadAgain, chunksOf, type StateChunks } from "./state_input.ts";
import { writeAgain } from "./write_again.ts";

/** The parts of the store that writing needs. */
export interface WritingParts extends StoreParts {
  readonly ids: IdClock;
  /**
   * The reap that follows a publication, and for which the next snapshot waits.
   */
  readonly reaper: Pick<Reaper, "follow" | "waitBeforeCreate">;
}

/** Begins a snapshot; the caller must close or cancel the sink. */
export async function createSink(
  parts: WritingParts,
  init: SnapshotInit,
  options: CreateOptions,
): Promise<SnapshotSink> {
  requireKnown(options, CREATE_OPTIONS);
  const { signal } = options;
  const startMs = parts.timer();
  // Runs beside the beginning, which saves a wait.
  const reaped = parts.reaper.waitBeforeCreate();
  const writer = await begin(parts, init, options);
  const stopping = new AbortController();
  const stop: Abort = async (reason) => {
    stopping.abort(reason);
    await sink.cancel(reason);
  };
  const sink: Sink = new Sink(writer, {
    highWaterMark: parts.blockSize,
    signal,
    ...endingsOf(parts, writer, { abort: stop, startMs }),
  });
  try {
    await reaped;
    // The store may have been closed meanwhile.
    stopping.signal.throwIfAborted();
    signal?.throwIfAborted();
    parts.backend.assertOpen();
  } catch (error) {
    await sink.cancel(error);
    throw error;
  }
  return sink;
}

/** A snapshot to save. */
interface SnapshotToSave {
  readonly init: SnapshotInit;
  readonly state: StateInput;
}

/**
 * Writes a whole snapshot; resolves to its metadata once it is published. Writes
 * bytes and blobs again when the place has lost them.
 */
export async function saveSnapshot(
  parts: WritingParts,
  snapshot: SnapshotToSave,
  options: SaveOptions,
): Promise<SnapshotMeta> {
  requireKnown(options, SAVE_OPTIONS);
  const { init, state } = snapshot;
  if (!canReadAgain(state)) return await saveOnce(parts, snapshot, options);
  const { signal } = options;
  signal?.throwIfAborted();
  // Copies, because the caller may change its own before the next attempt.
  const same = { ...options, expected: requireExpected(options) };
  const copy = { init: resolveInit(init), state };
  const write = () => saveOnce(parts, copy, same);
  return await writeAgain(write, { signal, report: parts.report });
}

async function saveOnce(
  parts: WritingParts,
  { init, state }: SnapshotToSave,
  options: SaveOptions,
): Promise<SnapshotMeta> {
  const input = chunksOf(state);
  const startMs = parts.timer();
  const reaped = parts.reaper.waitBeforeCreate();
  const writer = await beginOrCancel(parts, input, init, options);
  const stopping = new AbortController();
  const stop: Abort = async (reason) => {
    stopping.abort(reason);
    await completion.discard(reason);
  };
  const completion: Completion = new Completion(
    writer,
    endingsOf(parts, writer, { abort: stop, startMs }),
  );
  const { signal } = options;
  const onAbort = () => void stop(signal?.reason);
  if (signal?.aborted) onAbort();
  // A listener of `created` may have closed the store.
  if (parts.backend.isShut) void stop(parts.closing.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await reaped;
    const { blockSize } = parts;
    const saving = { writer, completion, blockSize, signal: stopping.signal };
    return await saveChunks(saving, input, options);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

async function beginOrCancel(
  parts: WritingParts,
  input: StateChunks,
  init: SnapshotInit,
  options: SaveOptions,
): Promise<SnapshotWriter> {
  try {
    return await begin(parts, init, options);
  } catch (error) {
    input.cancel(error);
    throw error;
  }
}

async function begin(
  parts: WritingParts,
  init: SnapshotInit,
  options: CreateOptions,
): Promise<SnapshotWriter> {
  options.signal?.throwIfAborted();
  const expected = requireExpected(options);
  const writer = await beginSnapshot(parts, parts.ids, {
    init: resolveInit(init),
    expected,
  });
  parts.report({ type: "created", id: writer.meta.id });
  return writer;
}

/** Marks the snapshot as one that is being published, until it has ended. */
function endingsOf(
  { publishing, reaper, report, streams, timer }: WritingParts,
  writer: SnapshotWriter,
  { abort, startMs }: { readonly abort: Abort; readonly startMs: number },
): CompletionOptions {
  const { id } = writer.meta;
  publishing.add(id);
  const forget = streams.add(abort);
  return {
    onEnd: (outcome) => {
      if (outcome === "published") {
        const durationMs = timer() - startMs;
        report({ type: "published", meta: writer.meta, durationMs });
        reaper.follow(id);
      } else publishing.delete(id);
      forget();
    },
  };
}
