/**
 * A snapshot that is being written, whose waits all end.
 *
 * @module
 */

import type { FinalParts, PendingSnapshot } from "../backend/backend.ts";
import { SnapshotError } from "../errors.ts";

/** Notes a call until it has settled. */
type Note = <T>(call: Promise<T>) => Promise<T>;

/** Ends once: it is published or discarded. */
export class CheckedPending {
  readonly #pending: PendingSnapshot;
  readonly #note: Note;
  #discarding: Promise<void> | undefined;
  /** Ends the pending append; there is one at a time. */
  #endAppend: (reason: unknown) => void = () => {};
  #isPublishing = false;

  /** `note` gets the calls for which `close()` of the store waits. */
  constructor(pending: PendingSnapshot, note: Note) {
    this.#pending = pending;
    this.#note = note;
  }

  /** Settles as the backend's does, or when the snapshot is discarded. */
  append(bytes: Uint8Array): Promise<void> {
    // An error that the backend throws synchronously is thrown synchronously
    // here, too.
    const appending = Promise.resolve(this.#pending.append(bytes));
    return new Promise((resolve, reject) => {
      this.#endAppend = reject;
      appending.then(resolve, reject);
    });
  }

  async publish(parts: FinalParts): Promise<void> {
    if (this.#discarding !== undefined) {
      throw new SnapshotError("Cannot publish: the snapshot was discarded");
    }
    this.#isPublishing = true;
    await this.#note((async () => await this.#pending.publish(parts))());
  }

  /** Whether only the backend knows by now how the snapshot ends. */
  get isPublishing(): boolean {
    return this.#isPublishing;
  }

  /** Removes every trace; an append that is under way fails with the reason. */
  discard(reason: unknown): Promise<void> {
    this.#discarding ??= this.#note(this.#discard(reason));
    return this.#discarding;
  }

  async #discard(reason: unknown): Promise<void> {
    try {
      await this.#pending.discard();
    } finally {
      this.#endAppend(reason);
    }
  }
}
