/**
 * The model of a store.
 *
 * @module
 */

import { compareIds } from "../crash/invariants.ts";

/** The promise of a store: a list of states by ID, and how it is kept short. */
export class Model {
  /** The published snapshots, newest first. */
  snapshots: readonly { readonly id: string; readonly state: Uint8Array }[] =
    [];
  /** The newest one that the present store object has published. */
  newest: string | undefined;
  retain = 2;
  /** Those whose removal a power cut may undo, as long as no call waits for it. */
  #removed: typeof this.snapshots = [];

  /** A snapshot has been published. */
  publish(id: string, state: Uint8Array): void {
    this.snapshots = [...this.snapshots, { id, state }]
      .sort((a, b) => compareIds(a.id, b.id));
    if (this.newest === undefined || compareIds(id, this.newest) < 0) {
      this.newest = id;
    }
    this.reap(id);
  }

  /** Removes the snapshots beyond `retain`, except the one that Raft needs. */
  reap(published?: string): void {
    const before = this.snapshots;
    this.snapshots = before.filter(({ id }, i) =>
      i < this.retain || id === published || id === this.newest
    );
    const removed = before.filter((one) => !this.snapshots.includes(one));
    this.#removed = [...this.#removed, ...removed];
  }

  /** Every removal so far survives a power cut. */
  settle(): void {
    this.#removed = [];
  }

  /** After a power cut these are there: removals may have been undone. */
  crash(ids: readonly string[]): void {
    const back = this.#removed.filter(({ id }) => ids.includes(id));
    this.snapshots = [...this.snapshots, ...back]
      .sort((a, b) => compareIds(a.id, b.id));
    this.settle();
  }

  delete(id: string): void {
    this.snapshots = this.snapshots.filter((one) => one.id !== id);
  }

  /** Another store object takes over. */
  reopen(retain: number): void {
    this.newest = undefined;
    this.retain = retain;
  }
}
