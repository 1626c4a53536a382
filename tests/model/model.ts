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
    this.snapshots = this.snapshots.filter(({ id }, i) =>
      i < this.retain || id === published || id === this.newest
    );
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
