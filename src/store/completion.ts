/**
 * How a snapshot that is being written ends.
 *
 * @module
 */

import { SnapshotPublishError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { describe } from "../text.ts";
import type { SnapshotWriter } from "./snapshot_writer.ts";

/** The callback for the end. */
export interface CompletionOptions {
  /**
   * Called once the writer has released everything, before `close()` settles.
   */
  readonly onEnd?: (outcome: "published" | "not published") => void;
}

/** How far a snapshot that is being written has come. */
export type CompletionState =
  | "open"
  | "publishing"
  | "published"
  | "failed"
  | "discarded";

/**
 * Whether a snapshot is published or discarded. The stream's own state only
 * says whether more may be written; this state decides about the snapshot.
 */
export class Completion {
  readonly #writer: SnapshotWriter;
  readonly #options: CompletionOptions;
  #state: CompletionState = "open";
  #outcome: Promise<void> | undefined;
  #discarding: Promise<void> | undefined;
  #settleAs: (outcome: Promise<void>) => void = () => {};
  /** Settles with the outcome. */
  readonly settled: Promise<void>;
  onEnd: () => void = () => {};

  constructor(writer: SnapshotWriter, options: CompletionOptions) {
    this.#writer = writer;
    this.#options = options;
    this.settled = new Promise((resolve) => {
      this.#settleAs = resolve;
    });
    // The caller may never use the promise.
    this.settled.catch(() => {});
  }

  /** How far the snapshot has come. */
  get state(): CompletionState {
    return this.#state;
  }

  /**
   * The promise of every `close()`, once the publication or discard has begun.
   */
  get outcome(): Promise<void> | undefined {
    return this.#outcome;
  }

  publish(): Promise<void> {
    return this.#outcome ?? this.#settle(this.#publish());
  }

  /**
   * Gives the snapshot up, also while its last bytes are being written. Waits for
   * a publication under way; if it succeeds, this does nothing.
   */
  discard(reason: unknown): Promise<void> {
    if (this.#discarding !== undefined) return this.#discarding;
    if (this.#outcome !== undefined) return this.#giveUp(reason);
    const { id } = this.#writer.meta;
    this.#state = "discarded";
    void this.#settle(Promise.reject(discarded(id, reason)));
    this.#discarding = this.#discard(reason);
    return this.#discarding;
  }

  async #publish(): Promise<void> {
    this.#state = "publishing";
    try {
      await this.#writer.publish();
    } catch (error) {
      this.#state = "failed";
      this.#end("not published");
      throw error;
    }
    this.#state = "published";
    this.#end("published");
  }

  async #giveUp(reason: unknown): Promise<void> {
    await this.#writer.giveUp(reason);
    await this.#outcome?.catch(() => {});
  }

  async #discard(reason: unknown): Promise<void> {
    try {
      await this.#writer.discard(reason);
    } finally {
      this.#end("not published");
    }
  }

  #settle(outcome: Promise<void>): Promise<void> {
    this.#outcome = outcome;
    this.#settleAs(outcome);
    return outcome;
  }

  #end(outcome: "published" | "not published"): void {
    this.onEnd();
    this.#options.onEnd?.(outcome);
  }
}

/** The reason where none is given. */
export function cancelled(): DOMException {
  return new DOMException("the snapshot was cancelled", "AbortError");
}

function discarded(id: string, reason: unknown): SnapshotPublishError {
  if (isSnapshotError(reason, "ERR_SNAPSHOT_PUBLISH")) return reason;
  const why = `Cannot publish snapshot ${id}: ${describe(reason)}`;
  return new SnapshotPublishError(why, {
    published: false,
    cause: reason,
  });
}
