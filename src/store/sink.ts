/**
 * The writing end of a snapshot as a web stream, the same for every kind of
 * store.
 *
 * @module
 */

import { sizeInQueue, toBytes } from "../bytes.ts";
import { showAs } from "../runtime/show_as.ts";
import { acceptExtra } from "../snapshot/extras.ts";
import type { SnapshotMeta, SnapshotSink } from "../snapshot/types.ts";
import { ChunkSizes } from "./chunk_sizes.ts";
import { cancelled, Completion, type CompletionOptions } from "./completion.ts";
import type { SnapshotWriter } from "./snapshot_writer.ts";

/** Options of a sink. */
export interface SinkOptions extends CompletionOptions {
  /** Bytes that may wait in the stream before the producer is held back. */
  readonly highWaterMark: number;
  /** Cancels the sink when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** See `writeDirectly()` of the block writer; not for users. */
export let writeDirectly: (sink: Sink) => void;

/** A `WritableStream` that writes a snapshot. */
export class Sink extends WritableStream<Uint8Array> implements SnapshotSink {
  readonly #writer: SnapshotWriter;
  readonly #completion: Completion;
  readonly #controller: WritableStreamDefaultController;
  /** See {@linkcode SnapshotSink.published}. */
  readonly published: Promise<SnapshotMeta>;

  static {
    writeDirectly = (sink) => sink.#writer.writeDirectly();
    showAs(Sink.prototype, (sink) => ({
      name: "SnapshotSink",
      fields: { id: sink.id, state: sink.#completion.state },
    }));
  }

  constructor(writer: SnapshotWriter, options: SinkOptions) {
    const completion = new Completion(writer, options);
    const what = `snapshot ${writer.meta.id}`;
    // An error in write() ends the stream without a call to abort().
    const onFailure = async (error: unknown) => {
      await completion.discard(error);
      throw error;
    };
    const sizes = new ChunkSizes();
    let controller: WritableStreamDefaultController | undefined;
    super({
      start: (given) => {
        controller = given;
        // abort() below is called only when a write that is under way has ended;
        // and the place may never answer.
        const { signal } = given;
        signal.addEventListener(
          "abort",
          () => void writer.giveUp(signal.reason),
        );
      },
      write: (chunk: unknown) => {
        try {
          const bytes = toBytes(chunk, what);
          sizes.take(bytes.length, what);
          return writer.write(bytes)?.catch(onFailure);
        } catch (error) {
          return onFailure(error);
        }
      },
      close: () => completion.publish(),
      abort: (reason) => completion.discard(reason ?? cancelled()),
    }, {
      highWaterMark: options.highWaterMark,
      size: (chunk: unknown) => sizes.add(sizeInQueue(chunk)),
    });
    if (writer.canCarryExtras) {
      acceptExtra(this, (make) => writer.addExtra(make));
    }
    this.#writer = writer;
    this.#completion = completion;
    this.#controller = controller as WritableStreamDefaultController;
    this.published = completion.settled.then(
      () => writer.meta,
      async (error) => {
        // The stream errors once every trace is removed. If the removal fails,
        // the first error counts.
        await completion.discard(error).catch(() => {});
        throw error;
      },
    );
    // The caller may never use the promise; close() reports the failure as
    // well.
    this.published.catch(() => {});
    const { signal } = options;
    const onAbort = () => void this.cancel(signal?.reason).catch(() => {});
    signal?.addEventListener("abort", onAbort, { once: true });
    completion.onEnd = () => signal?.removeEventListener("abort", onAbort);
  }

  /** The ID that the snapshot has once it is published. */
  get id(): string {
    return this.#writer.meta.id;
  }

  /** The snapshot's metadata; `size` and `crc` are final after close. */
  get meta(): SnapshotMeta {
    return this.#writer.meta;
  }

  /** See {@linkcode SnapshotSink.close}. */
  override close(): Promise<void> {
    // Go forgets a failed Close and a Cancel: the next Close returns nil, and
    // Raft deletes its log. Here the outcome stays the same.
    if (this.#completion.outcome !== undefined) return this.#completion.outcome;
    if (this.locked) return Promise.reject(this.#locked());
    // A writer may have begun to close or abort the stream; the stream then
    // rejects this call, and that writer settles the completion.
    super.close().catch(() => {});
    return this.#completion.settled;
  }

  #locked(): TypeError {
    return new TypeError(
      `Cannot close snapshot ${this.id}: found its stream locked by a writer ` +
        "or a pipe, expected it to be free; call writer.close(), or " +
        "writer.releaseLock() before sink.close()",
    );
  }

  /** See {@linkcode SnapshotSink.cancel}. */
  async cancel(reason?: unknown): Promise<void> {
    const error = reason ?? cancelled();
    // Not abort(), which rejects while a writer holds the lock. The stream's
    // error reaches the writer.
    this.#controller.error(error);
    await this.#completion.discard(error);
  }

  /** The same as `cancel()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }
}
