/**
 * The results of `inspect()` and `clean()`: the contents of a store beside its
 * published snapshots, and which of these were removed.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";

/** A snapshot, a deletion or a seal that is not finished. */
export interface UnfinishedSnapshot {
  /** The ID of the snapshot that was being written, deleted or sealed. */
  readonly id: string;
  /** Its name in the place, such as that of a directory. */
  readonly name: string;
  /** Whether it was being written, deleted, or given block checksums. */
  readonly state: "writing" | "deleted" | "sealing";
  /** The size of its files in bytes; `undefined` when that is not known. */
  readonly size: number | undefined;
  /** When it was last changed; `undefined` when that is not known. */
  readonly changedAt: Date | undefined;
  /**
   * Whether it belongs to another program that does not use the lock, such as a
   * Go server. Only its age tells whether that program is still writing it.
   */
  readonly isForeign: boolean;
  /**
   * Whether its writer may be at work: this store, the holder of the lock, or
   * another program that has changed it recently; or whether a removed snapshot
   * keeps its bytes for the readers of other programs. If not, a crash has left
   * it.
   */
  readonly mayBeUnderWay: boolean;
}

/** A corrupt snapshot that is kept for the operator. */
export interface QuarantinedSnapshot {
  /** The snapshot's ID. */
  readonly id: string;
  /** Its name in the place, such as that of a directory. */
  readonly name: string;
}

/** The state of a store's lock, read without taking the lock. */
export interface StoreLock {
  /** The holder; `undefined` when the lock file does not name one. */
  readonly owner: LockOwner | undefined;
  /**
   * Whether the holder is alive:
   *
   * - `"own"`: this store holds the lock;
   * - `"alive"`: another store holds it, in this process or another one;
   * - `"dead"`: the holder has ended; the next store that is opened takes the
   *   lock over;
   * - `"unknown"`: this process can't see the holder, so the lock counts as
   *   held.
   */
  readonly holder: "own" | "alive" | "dead" | "unknown";
  /** Advice for the operator when the holder is `"unknown"`. */
  readonly hint: string | undefined;
}

/** The contents of a store beside its published snapshots. */
export interface StoreInspection {
  /** Where the store is. */
  readonly place: string;
  /** Snapshots that are neither published nor quarantined, newest first. */
  readonly unfinished: readonly UnfinishedSnapshot[];
  /** Corrupt snapshots, newest first. */
  readonly quarantined: readonly QuarantinedSnapshot[];
  /**
   * Names that this library did not put there, in order; the first thousand.
   * Other programs have chosen them: they may hold control characters.
   */
  readonly foreign: readonly string[];
  /** How many such names there are. */
  readonly foreignCount: number;
  /** The lock; `undefined` when there is none. */
  readonly lock: StoreLock | undefined;
}

/** Options of `clean()`. */
export interface CleanOptions {
  /**
   * How long a snapshot must have been unchanged, in milliseconds, 0 or more,
   * when its writer can't be seen. In a directory, such a writer is another
   * program, such as a Go server. @default {as opening the store does:
   * foreignTmpAgeMs}
   */
  readonly olderThanMs?: number | undefined;
}

/** The unfinished snapshots, as they were before, by their outcome. */
export interface CleanReport {
  /** Snapshots that were removed. */
  readonly removed: readonly UnfinishedSnapshot[];
  /** Snapshots that may be under way. */
  readonly left: readonly UnfinishedSnapshot[];
  /** Snapshots that could not be removed; the log says why. */
  readonly failed: readonly UnfinishedSnapshot[];
}
