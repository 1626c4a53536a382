/**
 * What a store reports of its work. The log lines are made from these events, in
 * `store/events.ts`.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";
import type { RestoreResult, SnapshotMeta } from "./types.ts";

/** What each event of a store tells, by its type. */
export interface StoreEvents {
  /** A snapshot has been begun; it is not published yet. */
  readonly created: {
    /** The ID that it is to have. */
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
    /** What passed over it. */
    readonly operation: "list" | "restore";
    /** Why. */
    readonly error: unknown;
  };
  /** `list()` has left out a name that is not that of a published snapshot. */
  readonly ignored: {
    /** The ID of a snapshot, or what is there that the store has not made. */
    readonly name: string;
    /** What it is. */
    readonly state:
      | "writing"
      | "deleted"
      | "sealing"
      | "quarantined"
      | "foreign";
  };
  /** The block checksums of a snapshot can't be used; its CRC-64 still is. */
  readonly checksumsIgnored: {
    /** The snapshot. */
    readonly id: string;
    /** What is wrong with them. */
    readonly error: unknown;
  };
  /** Something is tried again after a while. */
  readonly retrying: {
    /** What: `"restore"`, or what a backend does. */
    readonly operation: string;
    /** Why it has failed. */
    readonly error: unknown;
  };
  /** Something has failed in the background: no call rejects because of it. */
  readonly failed: {
    /**
     * What: `"reap"`, `"quarantine"`, `"discard"`, `"close"`, or what a backend
     * does, such as `"remove"` and `"sweep"` in a directory.
     */
    readonly operation: string;
    /** The snapshot that it is about; none when it is about the store. */
    readonly id?: string | undefined;
    /** Where in the place, when the ID does not tell: a path. */
    readonly name?: string | undefined;
    /** Why. */
    readonly error: unknown;
    /** Whether it is usual in that place, as where a bucket retains objects. */
    readonly isExpected?: boolean | undefined;
  };
  /** A corrupt snapshot has been taken out of the way, and is kept. */
  readonly quarantined: {
    /** Its ID. */
    readonly id: string;
    /** The name that it has now. */
    readonly name: string;
  };
  /** A snapshot beyond `retain` has been removed. */
  readonly reaped: {
    /** Its ID. */
    readonly id: string;
  };
  /**
   * A snapshot is created before the reap that followed the last one has ended,
   * because it takes long: there may be more snapshots than `retain`.
   */
  readonly reapOverdue: Readonly<Record<never, never>>;
  /** `delete()` has removed a snapshot. */
  readonly deleted: {
    /** Its ID. */
    readonly id: string;
  };
  /** What an earlier process has left has been removed. */
  readonly cleanedUp: {
    /** The snapshot that it was to be, or was. */
    readonly id: string;
    /** The name that it had. */
    readonly name: string;
    /** What it was. */
    readonly state: "writing" | "deleted" | "sealing" | "quarantined";
  };
  /** An unfinished snapshot was left alone: another program may be writing it. */
  readonly leftAlone: {
    /** The snapshot that it is to be. */
    readonly id: string;
    /** The name that it has. */
    readonly name: string;
    /** It was changed less than so many milliseconds ago. */
    readonly changedWithinMs: number;
  };
  /** The lock that another store has left behind was taken over. */
  readonly lockTakenOver: {
    /** Who held it, and has ended or given it up. */
    readonly owner: LockOwner;
  };
  /**
   * The platform can't make names durable: after a power cut the newest snapshot
   * may be missing. Reported once.
   */
  readonly directoryNotSynced: {
    /** What the system says. */
    readonly error: unknown;
  };
}

/**
 * One event of a store; `type` tells which, and `place` where the store keeps
 * its snapshots: a directory. Events, with the metadata and errors in them, can
 * be given to `JSON.stringify()`. A handler must not change them.
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
