/**
 * The form of a conformance check.
 *
 * @module
 */

import type { SnapshotStore } from "../snapshot/stores.ts";

/**
 * Which published snapshots a store keeps: all (at least the newest three),
 * only the last one, or none.
 */
export type Keeps = "all" | "newest" | "nothing";

/**
 * Functions that damage a published snapshot, given by the maker of the store.
 */
export interface Damage {
  /** Changes the state of a published snapshot, so that its CRC is wrong. */
  corrupt(id: string): void | Promise<void>;
  /** Removes the block checksums from a snapshot, because Go writes none. */
  unseal(id: string): void | Promise<void>;
}

/** A store, and how its snapshots are damaged. */
export interface StoreToCheck extends Partial<Damage> {
  /** The store: empty, and not shared with another check. */
  readonly store: SnapshotStore;
}

/** The tools of a check beside the store. */
export interface CheckContext extends Damage {
  /** How many snapshots the store retains. */
  readonly retain: number;
}

/** One check, which is given a fresh store. */
export interface Check {
  /** The requirement, as a sentence. */
  readonly name: string;
  /** The stores that it does not apply to. */
  readonly notFor?: readonly Keeps[];
  /**
   * The parts of the context that it needs; without one the check is left out.
   */
  readonly needs?: readonly (keyof CheckContext)[];
  /** Rejects when the store does not meet the requirement. */
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
