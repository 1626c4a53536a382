/**
 * What one conformance check is.
 *
 * @module
 */

import type { SnapshotStore } from "../snapshot/types.ts";

/**
 * What a store keeps of the snapshots that were published: all (at least the
 * newest three), only the one published last, or nothing.
 */
export type Keeps = "all" | "newest" | "nothing";

/** One check, which is given a fresh store. */
export interface Check {
  /** What the store must do, as a sentence. */
  readonly name: string;
  /** The stores that it does not apply to. */
  readonly notFor?: readonly Keeps[];
  /** Rejects when the store does not do so. */
  run(store: SnapshotStore): Promise<void>;
}

/** A check of stores that keep something. */
export function ofKeepers(
  name: string,
  run: (store: SnapshotStore) => Promise<void>,
): Check {
  return { name, run, notFor: ["nothing"] };
}

/** A check of every store. */
export function ofAll(
  name: string,
  run: (store: SnapshotStore) => Promise<void>,
): Check {
  return { name, run };
}
