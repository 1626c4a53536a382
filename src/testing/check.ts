/**
 * What one conformance check is.
 *
 * @module
 */

import type { SnapshotStore } from "../snapshot/stores.ts";

/**
 * What a store keeps of the snapshots that were published: all (at least the
 * newest three), only the one published last, or nothing.
 */
export type Keeps = "all" | "newest" | "nothing";

/** How a published snapshot can be damaged by the one who makes the store. */
export interface Damage {
  /** Changes the state of a published snapshot, so that its CRC is wrong. */
  corrupt(id: string): void | Promise<void>;
  /** Takes the block checksums from a snapshot: Go writes none. */
  unseal(id: string): void | Promise<void>;
}

/** A store, and how its snapshots are damaged. */
export interface StoreToCheck extends Partial<Damage> {
  /** The store: empty, and used by no other. */
  readonly store: SnapshotStore;
}

/** What a check may use beside the store. */
export interface CheckContext extends Damage {
  /** How many snapshots the store retains. */
  readonly retain: number;
}

/** One check, which is given a fresh store. */
export interface Check {
  /** What the store must do, as a sentence. */
  readonly name: string;
  /** The stores that it does not apply to. */
  readonly notFor?: readonly Keeps[];
  /** What it uses of its context; without that it is left out. */
  readonly needs?: readonly (keyof CheckContext)[];
  /** Rejects when the store does not do so. */
  run(store: SnapshotStore, context: CheckContext): Promise<void>;
}

type Run = Check["run"];

/** A check of stores that keep something. */
export function checkStoresThatKeep(
  name: string,
  run: Run,
  needs: NonNullable<Check["needs"]> = [],
): Check {
  return { name, run, notFor: ["nothing"], needs };
}

/** A check of stores that keep the newest three at least. */
export function checkStoresOfMany(
  name: string,
  run: Run,
  needs: NonNullable<Check["needs"]> = [],
): Check {
  return { name, run, notFor: ["newest", "nothing"], needs };
}

/** A check of every store. */
export function checkEveryStore(name: string, run: Run): Check {
  return { name, run };
}
