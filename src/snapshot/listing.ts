/**
 * The result of `list({ unusable: true })`: every snapshot, also those that
 * can't be used.
 *
 * @module
 */

import type {
  SnapshotCorruptError,
  SnapshotUnreadableError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import type { SnapshotMeta } from "./types.ts";

/** A snapshot that `list()` without options includes, too. */
export interface UsableEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** Its metadata can be read, and its state has the length in the metadata. */
  readonly state: "usable";
  /** Its metadata. */
  readonly meta: SnapshotMeta;
}

/** A snapshot that is corrupt, as can be seen without reading its state. */
export interface CorruptEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** The snapshot can't be used any more. */
  readonly state: "corrupt";
  /** The damage. */
  readonly error: SnapshotCorruptError;
}

/** A snapshot that can't be read because of an error of the system. */
export interface UnreadableEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /** The snapshot may be good. */
  readonly state: "unreadable";
  /** The error of the system, as its cause. */
  readonly error: SnapshotUnreadableError;
}

/** A snapshot of a version that this library does not know. */
export interface UnsupportedEntry {
  /** The snapshot's ID. */
  readonly id: string;
  /**
   * The snapshot may be good: a newer release of this library may be able to
   * read it.
   */
  readonly state: "unsupported";
  /** The error that names the version. */
  readonly error: UnsupportedSnapshotVersionError;
}

/** A corrupt snapshot that `restore()` has taken out of the way. */
export interface QuarantinedEntry {
  /** The snapshot's ID. `open()` does not find it. */
  readonly id: string;
  /** The snapshot is kept for the operator. */
  readonly state: "quarantined";
}

/** One snapshot of a store; `state` tells the kinds apart. */
export type ListEntry =
  | UsableEntry
  | CorruptEntry
  | UnreadableEntry
  | UnsupportedEntry
  | QuarantinedEntry;
