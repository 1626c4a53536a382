/**
 * `save()`: writes a whole snapshot from bytes, a stream or an iterable,
 * without a stream of this library in between.
 *
 * @module
 */

import { toBytes } from "../bytes.ts";
import type { SaveOptions, SnapshotMeta } from "../snapshot/types.ts";
import type { Completion } from "./completion.ts";
import type { SnapshotWriter } from "./snapshot_writer.ts";
import type { StateChunks } from "./state_input.ts";
import { type NextChunk, takeSmall } from "./take_small.ts";

/** Bytes after which the event loop gets a turn. */
const TURN_BYTES = 4 * 1024 * 1024;

/** Bytes of small chunks that become one, which stays in the caches of a core. */
const BATCH_BYTES = 64 * 1024;

/** Waits for a turn of the event loop: a macrotask, not only a promise. */
function turn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as {
    readonly setImmediate?: (call: () => void) => unknown;
  };
  return new Promise((resolve) => void setImmediate(() => resolve()));
}

/** A snapshot that is being written, and how it ends. */
export interface Saving {
  readonly writer: SnapshotWriter;
  readonly completion: Completion;
  /** The size of a block in bytes. */
  readonly blockSize: number;
  /** Aborts with the caller's signal, and when the store is closed. */
  readonly signal: AbortSignal;
}

/** Writes the chunks, and publishes the snapshot; or removes every trace. */
export async function saveChunks(
  saving: Saving,
  input: StateChunks,
  { onProgress }: SaveOptions,
): Promise<SnapshotMeta> {
  const { writer, completion, signal } = saving;
  const stopped = rejectionOf(signal);
  try {
    await writeChunks(saving, input, { onProgress, stopped });
  } catch (error) {
    input.cancel(error);
    await completion.discard(error);
    // The reason says more than the error of the stopped writer.
    signal.throwIfAborted();
    throw error;
  } finally {
    stopped.forget();
  }
  await completion.publish();
  return writer.meta;
}

interface Waiting extends SaveOptions {
  readonly stopped: Stopped;
}

/** The promises to wait for, before more chunks can be taken. */
interface Wait {
  /** The next chunk, or the end. */
  readonly next: NextChunk | undefined;
  /** The write of the last bytes. */
  readonly writing: Promise<void> | undefined;
}

async function writeChunks(
  { writer, signal, blockSize }: Saving,
  { chunks, size: total = 0 }: StateChunks,
  { onProgress, stopped }: Waiting,
): Promise<void> {
  const target = `snapshot ${writer.meta.id}`;
  // Far smaller than a block: no more is asked for while a disk makes it wait.
  const batch = new Uint8Array(Math.min(BATCH_BYTES, blockSize >> 4));
  let done = 0;
  let told = 0;
  let turnAt = TURN_BYTES;

  const tell = () => {
    if (done > told) onProgress?.({ done, total });
    told = done;
  };

  /** Writes the chunks that are there at once, up to the end of a block. */
  const writeReady = (first: IteratorResult<unknown> | undefined): Wait => {
    let next: NextChunk | undefined = first;
    let writing: Promise<void> | undefined;
    while (writing === undefined && done < turnAt) {
      const small = takeSmall(batch, chunks, next ?? chunks.next());
      next = small.next;
      let bytes: Uint8Array = batch.subarray(0, small.length);
      if (small.length === 0) {
        if ("then" in next || next.done) break;
        bytes = toBytes(next.value, target);
        // The iterable may reuse it: it is asked for the next one later.
        next = undefined;
      }
      done += bytes.length;
      writing = writer.write(bytes);
    }
    if (writing === undefined) tell();
    return { next, writing };
  };

  let next: IteratorResult<unknown> | undefined;
  while (!next?.done) {
    const wait = writeReady(next);
    // Both at once: a write that fails must not wait for a chunk.
    const both = Promise.all([wait.next, wait.writing]);
    [next] = await stopped.orValueOf(both);
    tell();
    if (done < turnAt) continue;
    turnAt = done + TURN_BYTES;
    await turn();
    signal.throwIfAborted();
  }
}

/** Waits that end when a signal aborts. */
interface Stopped {
  /** The value, or a rejection with the signal's reason. One at a time. */
  orValueOf<T>(value: T | PromiseLike<T>): Promise<T>;
  forget(): void;
}

function rejectionOf(signal: AbortSignal): Stopped {
  // Not a race with one promise, which would keep every wait in memory until
  // the end.
  let rejectWait: (reason: unknown) => void = () => {};
  const onAbort = () => rejectWait(signal.reason);
  signal.addEventListener("abort", onAbort);
  return {
    orValueOf: (value) =>
      new Promise((resolve, reject) => {
        rejectWait = reject;
        Promise.resolve(value).then(resolve, reject);
        if (signal.aborted) onAbort();
      }),
    forget: () => signal.removeEventListener("abort", onAbort),
  };
}
