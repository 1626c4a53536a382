/**
 * The writing end of a snapshot as a web stream, the same for every kind of
 * store.
 *
 * @module
 */

import { sizeInQueue, toBytes } from "../bytes.ts";
import { ChunkSizes } from "./chunk_sizes.ts";
import { SnapshotPublishError } from "../errors.ts";
import { acceptExtra, type MakeExtra } from "../snapshot/extras.ts";
import type { SnapshotMeta, SnapshotSink } from "../snapshot/types.ts";
import { describe } from "../text.ts";

/** A snapshot that is being written. A sink ends it once, in one of two ways. */
export interface Draft {
  /** The metadata; `size` and `crc` are final once it is published. */
  readonly meta: SnapshotMeta;
  /** Appends to the state, perhaps at once. Calls do not overlap. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Publishes the snapshot, or removes every trace and rejects. */
  publish(): Promise<void>;
  /** Lets the snapshot carry a file, if the store can; before the publication. */
  addExtra?(make: MakeExtra): void;
  /** Removes every trace, also of a write that is under way. */
  discard(): Promise<void>;
}

/** What a sink needs beside the draft that it writes to. */
export interface SinkOptions {
  /** Bytes that may wait in the stream before the producer is held back. */
  readonly highWaterMark: number;
  /** Cancels the sink when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called after the snapshot has been published, before `close()` resolves. */
  readonly onPublished?: () => Promise<void>;
  /** Called when the sink is done for, one way or another. */
  readonly onEnd?: () => void;
}

/** A `WritableStream` that fills a {@linkcode Draft}. */
export class DraftSink extends WritableStream<Uint8Array>
  implements SnapshotSink {
  readonly #draft: Draft;
  readonly #fate: Fate;
  readonly #controller: WritableStreamDefaultController;
  /** See {@linkcode SnapshotSink.published}. */
  readonly published: Promise<SnapshotMeta>;

  constructor(draft: Draft, options: SinkOptions) {
    const fate = new Fate(draft, options);
    const what = `snapshot ${draft.meta.id}`;
    // An error in write() ends the stream without a call to abort().
    const onFailure = async (error: unknown) => {
      await fate.discard(error);
      throw error;
    };
    const sizes = new ChunkSizes();
    let controller: WritableStreamDefaultController | undefined;
    super({
      start: (given) => {
        controller = given;
      },
      write: (chunk: unknown) => {
        try {
          const bytes = toBytes(chunk, what);
          sizes.take(bytes.length, what);
          return draft.write(bytes)?.catch(onFailure);
        } catch (error) {
          return onFailure(error);
        }
      },
      close: () => fate.publish(),
      abort: (reason) => fate.discard(reason ?? cancelled()),
    }, {
      highWaterMark: options.highWaterMark,
      size: (chunk: unknown) => sizes.add(sizeInQueue(chunk)),
    });
    if (draft.addExtra !== undefined) {
      acceptExtra(this, (make) => draft.addExtra?.(make));
    }
    this.#draft = draft;
    this.#fate = fate;
    this.#controller = controller as WritableStreamDefaultController;
    this.published = fate.decided.then(() => draft.meta, async (error) => {
      // By then every trace is removed; if that fails, the first error counts.
      await fate.discard(error).catch(() => {});
      throw error;
    });
    // The caller may never ask; close() tells of the failure as well.
    this.published.catch(() => {});
    const { signal } = options;
    const onAbort = () => void this.cancel(signal?.reason).catch(() => {});
    signal?.addEventListener("abort", onAbort, { once: true });
    fate.onEnd = () => signal?.removeEventListener("abort", onAbort);
  }

  /** The ID that the snapshot has once it is published. */
  get id(): string {
    return this.#draft.meta.id;
  }

  /** The snapshot's metadata; `size` and `crc` are final after close. */
  get meta(): SnapshotMeta {
    return this.#draft.meta;
  }

  /** See {@linkcode SnapshotSink.close}. */
  override close(): Promise<void> {
    // Go forgets a failed Close and a Cancel: the next Close returns nil, and
    // Raft deletes its log. Here the outcome stays what it was.
    if (this.#fate.outcome !== undefined) return this.#fate.outcome;
    if (this.locked) return super.close();
    // It may be that a writer has begun to close or abort the stream, which it
    // then refuses. Its fate will be decided all the same.
    super.close().catch(() => {});
    return this.#fate.decided;
  }

  /** See {@linkcode SnapshotSink.cancel}. */
  async cancel(reason?: unknown): Promise<void> {
    const error = reason ?? cancelled();
    // Not abort(): that is refused while a writer holds the lock. Whoever
    // writes is told through the stream's error.
    this.#controller.error(error);
    await this.#fate.discard(error);
  }
}

/**
 * What becomes of a draft. The stream's own state only says whether more may be
 * written; this is the one truth about the snapshot.
 */
class Fate {
  readonly #draft: Draft;
  readonly #options: SinkOptions;
  #outcome: Promise<void> | undefined;
  #discarding: Promise<void> | undefined;
  #decide: (outcome: Promise<void>) => void = () => {};
  /** The outcome, also before it is decided. */
  readonly decided: Promise<void>;
  onEnd: () => void = () => {};

  constructor(draft: Draft, options: SinkOptions) {
    this.#draft = draft;
    this.#options = options;
    this.decided = new Promise((resolve) => {
      this.#decide = resolve;
    });
    // It may be that nobody asks.
    this.decided.catch(() => {});
  }

  /** What every `close()` says, once it is decided. */
  get outcome(): Promise<void> | undefined {
    return this.#outcome;
  }

  publish(): Promise<void> {
    return this.#outcome ?? this.#settle(this.#publish());
  }

  /** Waits for a publication under way; if it succeeds, this does nothing. */
  discard(reason: unknown): Promise<void> {
    if (this.#discarding !== undefined) return this.#discarding;
    if (this.#outcome !== undefined) return this.#outcome.catch(() => {});
    void this.#settle(Promise.reject(discarded(this.#draft.meta.id, reason)));
    this.#discarding = this.#discard();
    return this.#discarding;
  }

  async #publish(): Promise<void> {
    try {
      await this.#draft.publish();
      await this.#options.onPublished?.();
    } finally {
      this.#end();
    }
  }

  async #discard(): Promise<void> {
    try {
      await this.#draft.discard();
    } finally {
      this.#end();
    }
  }

  #settle(outcome: Promise<void>): Promise<void> {
    this.#outcome = outcome;
    this.#decide(outcome);
    return outcome;
  }

  #end(): void {
    this.onEnd();
    this.#options.onEnd?.();
  }
}

/** The reason where none is given. */
function cancelled(): DOMException {
  return new DOMException("it was cancelled", "AbortError");
}

function discarded(id: string, reason: unknown): SnapshotPublishError {
  if (reason instanceof SnapshotPublishError) return reason;
  const why = `Cannot publish snapshot ${id}: ${describe(reason)}`;
  return new SnapshotPublishError(why, {
    published: false,
    cause: reason,
  });
}
