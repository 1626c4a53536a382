/**
 * The seam between the store and the places that snapshots are kept in. The
 * store is written once and owns the rules: IDs, checks, restore, retention,
 * quarantine. A backend owns the differences between places: how a snapshot
 * becomes visible, how its parts are read, how it is removed. Each method's
 * comment is its contract.
 *
 * A call that changes the place (`takenIds()`, `begin()`, `publish()`,
 * `discard()`, `remove()`, ...) or lets a state go must settle in bounded time:
 * `close()` of the store waits for it. A call that only reads may take long, or
 * never answer: the store waits no longer than until its caller aborts or it is
 * closed, and releases a result that comes later. Five classes of errors are
 * about the requested snapshot: `SnapshotNotFoundError`,
 * `SnapshotCorruptError`, `SnapshotUnreadableError`, `SnapshotTooLargeError`
 * (of a place with a limit) and `UnsupportedSnapshotVersionError`. Every other
 * rejection is about the place, and the store never concludes that a snapshot
 * is corrupt. IDs that are passed in are valid. The store checks everything
 * that a backend returns, and refuses a place that breaks its contract.
 *
 * @module
 */

import type { BackendEvent } from "../snapshot/events.ts";
import type { Extra, ExtraName } from "../snapshot/extras.ts";
import type { CleanReport, StoreInspection } from "../snapshot/inspection.ts";
import type { ByteRange } from "../snapshot/open_options.ts";

/** The parts of a store that its backend gets when it connects. */
export interface BackendHost {
  /**
   * Reports an event that no call returns, such as a failure in the background.
   * The store logs it and passes it to `onEvent`. Never throws.
   */
  readonly report: (event: BackendEvent) => void;
  /** Whether the store only reads: the backend must change nothing. */
  readonly readOnly: boolean;
  /** The time in milliseconds since 1970. */
  readonly clock: () => number;
  /** Aborts when the store is closed: pending waits must then end soon. */
  readonly closing: AbortSignal;
}

/** An entry of a place that is not a published snapshot. */
export interface UnfinishedName {
  /** The ID of the snapshot that was being written, deleted or sealed. */
  readonly id: string;
  /** Whether it is being written, being deleted, or getting block checksums. */
  readonly state: "writing" | "deleted" | "sealing";
}

/** The names in a place; no snapshot has been read for them. */
export interface BackendNames {
  /** IDs of the published snapshots, each once, in any order. */
  readonly published: readonly string[];
  /** IDs of the snapshots that were quarantined, each once. */
  readonly quarantined: readonly string[];
  /** Unfinished snapshots: neither published nor quarantined. */
  readonly unfinished: readonly UnfinishedName[];
  /** Names that this library did not put there, for the log. */
  readonly foreign: readonly string[];
  /**
   * Published snapshots that must not be reaped, because another process may
   * rely on them. A place with several writers gives the recent ones of other
   * writers. @default {none}
   */
  readonly protected?: readonly string[] | undefined;
}

/** The contents of a place beside published snapshots, in detail. */
export interface BackendInspection
  extends Pick<StoreInspection, "unfinished" | "quarantined" | "lock"> {
  /** All names that this library did not put there. */
  readonly foreign: readonly string[];
}

/** Facts about a snapshot that are known before its first byte. */
export interface BeginOptions {
  /** The length of its state in bytes; `append()` never gets more. */
  readonly expectedSize?: number | undefined;
}

/**
 * One look at a snapshot. The store makes an object for each, by which a backend
 * tells its results from those of other looks at the same time.
 */
export interface Look {
  /** Whether `names()` has just listed the snapshot. */
  readonly isListed: boolean;
}

/** The state of a published snapshot, open for reading. */
export interface StateHandle {
  /** Its length in bytes, as the place has it. */
  readonly size: number;
  /**
   * Reads up to `buffer.length` bytes at `position` into `buffer`; resolves to
   * how many, 0 only at the end of the state. The buffer belongs to the backend
   * until it settles. Calls do not overlap and are mostly sequential.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * Fills `buffer` from `position` again, and fetches the bytes from their
   * origin: a checksum has shown that the bytes of `read()` are wrong. May
   * overlap a `read()`; bytes that `read()` has fetched ahead must not be used
   * any more. For places whose bytes can be damaged on their way here. Without
   * this method a bad block is not read again.
   */
  reread?(buffer: Uint8Array, position: number): Promise<void>;
  /**
   * Releases the state. May be called more than once, and during a read, which
   * must then end soon. Resolves when no buffer is in use any more.
   */
  close(): Promise<void>;
}

/** A place that snapshots can be read from. */
export interface ReadableBackend {
  /** The name of the place, for messages; may be read before `connect()`. */
  readonly place: string;
  /**
   * Called once, first, when the store's options have been checked. Creates the
   * place if it is missing, claims it, and removes unfinished snapshots. When
   * it rejects, the backend holds nothing. Once it has resolved, every snapshot
   * that `names()` gives as published survives a power cut.
   */
  connect?(host: BackendHost): Promise<void>;
  /** Lists the place: resolves to all of its names or rejects. */
  names(): Promise<BackendNames>;
  /**
   * Looks closely at snapshots that are not published, for an operator; takes
   * no lock. Without this method the store reports the names of `names()`.
   */
  inspect?(): Promise<BackendInspection>;
  /**
   * The exact bytes of `meta.json`. Checks first that the snapshot exists,
   * unless the look says that it was just listed.
   *
   * @throws {SnapshotNotFoundError} when the snapshot is not published, or not
   * any more.
   * @throws {SnapshotCorruptError} when the part is missing, or longer than
   * `sizeMax` bytes; it must not be read then.
   */
  readMeta(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array>;
  /** The exact bytes of `blocks.crc64`; `undefined` when there is none. */
  readBlocks(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined>;
  /**
   * The exact bytes of an extra file; `undefined` when there is none. A backend
   * without it carries no such files.
   */
  readExtra?(
    id: string,
    name: ExtraName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined>;
  /**
   * For each of the snapshots a text that changes whenever the results of
   * `readMeta()`, `readBlocks()` or `stateSize()` may have changed, so that a
   * list need not read them again. `undefined` where that can't be promised at
   * the moment. Without this method a list reads each snapshot every time.
   */
  versions?(ids: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * The version of the results that these three have given in one look, as it was
   * at the moment of each.
   */
  versionRead?(look: Look): string | undefined;
  /** The length of the state in bytes, without opening it. */
  stateSize(id: string, look?: Look): Promise<number>;
  /**
   * Opens the state. A later removal by this backend does not disturb the
   * reader. `range` is the part that will be read, in bytes, as a hint.
   */
  openState(id: string, range: ByteRange): Promise<StateHandle>;
  /**
   * Called last. It resolves once nothing that this backend began is under way
   * and every {@linkcode StateHandle} is closed. When it rejects, it may be
   * called again.
   */
  close?(): Promise<void>;
}

/**
 * A place that snapshots can be written to. `remove()`, `quarantine()`, `clean()`
 * and `addBlocks()` never overlap each other, and no call of `finishRemovals()`
 * overlaps another one; any other calls may.
 */
export interface SnapshotBackend extends ReadableBackend {
  /**
   * IDs that no new snapshot may have. Rejects as long as the place can't
   * promise that a new snapshot would be durable.
   */
  takenIds(): Promise<readonly string[]>;
  /**
   * Begins a snapshot and claims its ID; `"taken"` when the ID is in use.
   * Leaves nothing when it rejects. `meta` is the content of `meta.json` until
   * the snapshot is published.
   */
  begin(
    id: string,
    meta: Uint8Array,
    options: BeginOptions,
  ): Promise<PendingSnapshot | "taken">;
  /**
   * Makes snapshots invisible: at no time, and after no crash, is one visible
   * with a part missing. Readers that have begun are not disturbed. Resolves to
   * the errors of the snapshots that are still visible: `SnapshotRetainedError`
   * for one that the place retains, which does not fail a reap. The removal
   * need not be durable, nor any byte be removed, before `finishRemovals()`.
   * A check that the snapshots exist is not needed when `isListed` is set, because
   * `names()` has just listed them.
   */
  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
    isListed?: boolean,
  ): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Makes durable that removed snapshots are invisible, and removes their bytes;
   * continues with removals that failed before. Called after `remove()`, often
   * in the background. Bytes that can't be removed are logged; it rejects only
   * when the removal is not durable.
   */
  finishRemovals?(): Promise<void>;
  /**
   * Removes unfinished snapshots whose writers have ended, as `connect()` does.
   * `olderThanMs` is how long a snapshot must have been unchanged when its
   * writer can't be seen. Without this method unfinished snapshots stay.
   */
  clean?(olderThanMs: number | undefined): Promise<CleanReport>;
  /**
   * Makes a corrupt snapshot no longer published, and keeps it for the operator;
   * resolves to its new name, for the log. A backend without this method leaves
   * corrupt snapshots in place.
   */
  quarantine?(id: string): Promise<string>;
  /**
   * Gives a published snapshot its `blocks.crc64`: whole or not at all, and
   * durable when it resolves.
   *
   * @throws {SnapshotNotFoundError} when the snapshot is not published any
   * more.
   */
  addBlocks?(id: string, bytes: Uint8Array): Promise<void>;
}

/** The parts of a snapshot that are ready when its state is complete. */
export interface FinalParts {
  /** The exact bytes of `meta.json`. */
  readonly meta: Uint8Array;
  /** The exact bytes of `blocks.crc64`; none when they would be too long. */
  readonly blocks: Uint8Array | undefined;
  /** A file that the snapshot carries beside its state. */
  readonly extra: Extra | undefined;
}

/** A snapshot that is being written. It is not visible to any reader. */
export interface PendingSnapshot {
  /**
   * Appends to the state. Calls do not overlap. The bytes belong to the backend
   * until it settles. Throws synchronously when bytes that were appended before
   * have been lost, so that the store does not prepare another block.
   */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the snapshot visible under its ID, in one step; never replaces
   * anything. There are three outcomes. It resolves: the snapshot is visible,
   * whole, and survives a power cut. It rejects with `MaybePublishedError`: the
   * snapshot is visible, or may be or become visible; no part of it is removed.
   * It rejects with another error: the snapshot never becomes visible, and the
   * store calls `discard()`. That error is a `WriteAgainError` when the place has
   * lost bytes that were good, and may take them another time: the store then
   * begins another snapshot, where it can read the source again.
   */
  publish(parts: FinalParts): Promise<void>;
  /**
   * Removes every trace. May come during `append()`, which must then end soon.
   * Failures are logged; never rejects.
   */
  discard(): Promise<void>;
}
