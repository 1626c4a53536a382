/**
 * What `inspect()` tells of a store beside its published snapshots, and what
 * `clean()` removes of that.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";

/** A snapshot, a deletion or a seal that has not come to its end. */
export interface UnfinishedSnapshot {
  /** The snapshot that it was to be, or was. */
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
   * Whether it is of another program that knows no lock, such as a Go server:
   * its age is all that tells whether that is still writing it.
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

/** The lock of a store, as it is seen without being taken. */
export interface StoreLock {
  /** Who has it; `undefined` when its file does not tell. */
  readonly owner: LockOwner | undefined;
  /**
   * What is known of the holder:
   *
   * - `"own"`: it is this store;
   * - `"alive"`: it is another store, in this process or another one;
   * - `"dead"`: it has ended; the next store that is opened takes the lock over;
   * - `"unknown"`: it can't be seen from here, so that the lock counts as held.
   */
  readonly holder: "own" | "alive" | "dead" | "unknown";
  /** What an operator can do when the holder is `"unknown"`. */
  readonly hint: string | undefined;
}

/** What there is in a store beside its published snapshots. */
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
   * How long a snapshot of a writer that can't be seen must have been unchanged,
   * in milliseconds, 0 or more: in a directory that is another program, such as
   * a Go server. @default {as opening the store does: foreignTmpAgeMs}
   */
  readonly olderThanMs?: number | undefined;
}

/** What became of the unfinished snapshots, as they were before. */
export interface CleanReport {
  /** Those that were removed. */
  readonly removed: readonly UnfinishedSnapshot[];
  /** Those that may be under way. */
  readonly left: readonly UnfinishedSnapshot[];
  /** Those that could not be removed; the log says why. */
  readonly failed: readonly UnfinishedSnapshot[];
}
