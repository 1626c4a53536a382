/**
 * What `list()` resolves to when it is asked for every snapshot, also for those
 * that can't be used.
 *
 * @module
 */

import type {
  SnapshotCorruptError,
  SnapshotUnreadableError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import type { SnapshotMeta } from "./types.ts";

/** A snapshot that `list()` without options gives, too. */
export interface UsableEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** Its metadata can be read, and its state has the length that they say. */
  readonly state: "usable";
  /** Its metadata. */
  readonly meta: SnapshotMeta;
}

/** A snapshot whose bytes are seen to be wrong, without its state being read. */
export interface CorruptEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** It is of no use any more. */
  readonly state: "corrupt";
  /** What is wrong with it. */
  readonly error: SnapshotCorruptError;
}

/** A snapshot that the system does not let be read. */
export interface UnreadableEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** It may be good. */
  readonly state: "unreadable";
  /** What the system says. */
  readonly error: SnapshotUnreadableError;
}

/** A snapshot of a version that this library does not know. */
export interface UnsupportedEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** It may be good: a newer release of this library may be able to read it. */
  readonly state: "unsupported";
  /** Which version it is of. */
  readonly error: UnsupportedSnapshotVersionError;
}

/** A corrupt snapshot that `restore()` has taken out of the way. */
export interface QuarantinedEntry {
  /** The snapshot's ID. `open()` does not find it. */
  readonly id: string;
  /** It is kept for the operator. */
  readonly state: "quarantined";
}

/** What is known of one snapshot; its `state` tells the kinds apart. */
export type ListEntry =
  | UsableEntry
  | CorruptEntry
  | UnreadableEntry
  | UnsupportedEntry
  | QuarantinedEntry;
