/**
 * The events of a store. The log lines are made from them in `store/events.ts`.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";
import type { RestoreResult, SnapshotMeta } from "./types.ts";

/** The fields of each event of a store, by its type. */
export interface StoreEvents {
  /** A snapshot has been begun; it is not published yet. */
  readonly created: {
    /** The ID that the snapshot will have. */
    readonly id: string;
  };
  /** A snapshot has been published, and survives a power cut. */
  readonly published: {
    /** Its final metadata. */
    readonly meta: SnapshotMeta;
    /** Milliseconds since `create()` or `save()` was called. */
    readonly durationMs: number;
  };
  /** A snapshot has been restored; with `skipped`, it is not the newest. */
  readonly restored: RestoreResult & {
    /** Milliseconds since `restore()` was called. */
    readonly durationMs: number;
  };
  /** A snapshot was passed over, because it can't be used. */
  readonly rejected: {
    /** Its ID. */
    readonly id: string;
    /** The call that passed over it. */
    readonly operation: "list" | "restore";
    /** The error. */
    readonly error: unknown;
  };
  /** `list()` has left out a name that is not that of a published snapshot. */
  readonly ignored: {
    /** The ID of a snapshot, or a name that the store has not made. */
    readonly name: string;
    /** The kind of the name. */
    readonly state:
      | "writing"
      | "deleted"
      | "sealing"
      | "quarantined"
      | "foreign";
  };
  /**
   * The block checksums of a snapshot can't be used; its CRC-64 is used
   * instead.
   */
  readonly checksumsIgnored: {
    /** The snapshot. */
    readonly id: string;
    /** The fault of the checksums. */
    readonly error: unknown;
  };
  /** An operation has failed, and is tried again after a while. */
  readonly retrying: {
    /** The operation: `"restore"`, or one of the backend's. */
    readonly operation: string;
    /** The error of the last attempt. */
    readonly error: unknown;
  };
  /** An operation has failed in the background, so that no call rejects. */
  readonly failed: {
    /**
     * The operation: `"reap"`, `"quarantine"`, `"discard"`, `"close"`, or one
     * of the backend's, such as `"remove"` and `"sweep"` in a directory.
     */
    readonly operation: string;
    /**
     * The snapshot of the operation; `undefined` when the store as a whole
     * failed.
     */
    readonly id?: string | undefined;
    /** The path in the place, when the ID does not give it. */
    readonly name?: string | undefined;
    /** The error. */
    readonly error: unknown;
    /**
     * Whether the failure is normal there, as in a bucket that retains objects.
     */
    readonly isExpected?: boolean | undefined;
  };
  /** A corrupt snapshot has been taken out of the way, and is kept. */
  readonly quarantined: {
    /** Its ID. */
    readonly id: string;
    /** The snapshot's name in quarantine. */
    readonly name: string;
  };
  /** A snapshot beyond `retain` has been removed. */
  readonly reaped: {
    /** Its ID. */
    readonly id: string;
  };
  /**
   * A snapshot was begun before the last reap had ended, because that reap
   * takes long. There may be more snapshots than `retain` meanwhile.
   */
  readonly reapOverdue: Readonly<Record<never, never>>;
  /** `delete()` has removed a snapshot. */
  readonly deleted: {
    /** Its ID. */
    readonly id: string;
  };
  /** The remains of an earlier process have been removed. */
  readonly cleanedUp: {
    /** The snapshot's ID. */
    readonly id: string;
    /** The name that was removed. */
    readonly name: string;
    /** The operation that had not ended. */
    readonly state: "writing" | "deleted" | "sealing" | "quarantined";
  };
  /** An unfinished snapshot was left alone: another program may be writing it. */
  readonly leftAlone: {
    /** The ID that the snapshot will have. */
    readonly id: string;
    /** Its name in the place. */
    readonly name: string;
    /** The snapshot was changed less than this many milliseconds ago. */
    readonly changedWithinMs: number;
  };
  /** The lock that another store has left behind was taken over. */
  readonly lockTakenOver: {
    /** The former holder, which has ended or given the lock up. */
    readonly owner: LockOwner;
  };
  /**
   * The platform can't make names durable: after a power cut the newest snapshot
   * may be missing. Reported once.
   */
  readonly directoryNotSynced: {
    /** The error of the system. */
    readonly error: unknown;
  };
}

/**
 * One event of a store. `type` names the event, and `place` is where the store
 * keeps its snapshots, such as a directory. Events, with the metadata and
 * errors in them, can be given to `JSON.stringify()`. A handler must not change
 * them.
 */
export type StoreEvent = {
  readonly [Type in keyof StoreEvents]:
    & { readonly type: Type; readonly place: string }
    & StoreEvents[Type];
}[keyof StoreEvents];

/** The events that a backend may report; the store adds its place. */
export type BackendEvent = {
  readonly [Type in keyof StoreEvents]: Type extends
    | "cleanedUp"
    | "directoryNotSynced"
    | "failed"
    | "leftAlone"
    | "lockTakenOver"
    | "retrying" ? { readonly type: Type } & StoreEvents[Type]
    : never;
}[keyof StoreEvents];
