/**
 * The seam between the store and the places that snapshots are kept in. The
 * store is written once and owns the rules: IDs, checks, restore, retention,
 * quarantine. A backend owns what differs from place to place: how a snapshot
 * becomes visible, how its parts are read, how it is removed. Each method's
 * comment is its contract.
 *
 * A call that changes the place (`takenIds()`, `begin()`, `publish()`,
 * `discard()`, `remove()`, ...) or lets a state go must settle in bounded time:
 * `close()` of the store waits for it. A call that only reads may take long, or
 * never answer: the store waits no longer than until its caller aborts or it is
 * closed, and lets go of what comes later. Five classes of errors are about
 * the snapshot that was asked for: `SnapshotNotFoundError`,
 * `SnapshotCorruptError`, `SnapshotUnreadableError`, `SnapshotTooLargeError` (of
 * a place with a limit) and `UnsupportedSnapshotVersionError`. Every other
 * rejection is about the place, and the store never concludes that a snapshot is
 * corrupt. IDs that are passed in are valid. The store checks everything that a backend
 * returns, and refuses a place that breaks its contract.
 *
 * @module
 */

import type { BackendEvent } from "../snapshot/events.ts";
import type { Extra, ExtraName } from "../snapshot/extras.ts";
import type { CleanReport, StoreInspection } from "../snapshot/inspection.ts";
import type { ByteRange } from "../snapshot/open_options.ts";

/** What a store tells its backend when it connects. */
export interface BackendHost {
  /**
   * Where to report what no call tells, such as a failure in the background: the
   * store makes log lines of it, and hands it to `onEvent`. It never throws.
   */
  readonly report: (event: BackendEvent) => void;
  /** Whether the store only reads: the backend must change nothing. */
  readonly readOnly: boolean;
  /** The time in milliseconds since 1970. */
  readonly clock: () => number;
  /** Aborts when the store is closed: what waits must then end soon. */
  readonly closing: AbortSignal;
}

/** An entry of a place that is not a published snapshot. */
export interface UnfinishedName {
  /** The snapshot that it was to be, or was. */
  readonly id: string;
  /** Whether it is being written, being deleted, or getting block checksums. */
  readonly state: "writing" | "deleted" | "sealing";
}

/** What there is in a place, with no snapshot looked into yet. */
export interface BackendNames {
  /** IDs of the published snapshots, each once, in any order. */
  readonly published: readonly string[];
  /** IDs of the snapshots that were quarantined, each once. */
  readonly quarantined: readonly string[];
  /** Unfinished snapshots: neither published nor quarantined. */
  readonly unfinished: readonly UnfinishedName[];
  /** What this library did not put there; texts for the log. */
  readonly foreign: readonly string[];
  /**
   * Those of the published snapshots that must not be reaped, because another
   * process may rely on them: a place with several writers gives what others
   * have published recently. @default {none}
   */
  readonly protected?: readonly string[] | undefined;
}

/** What there is in a place beside published snapshots, looked at closely. */
export interface BackendInspection
  extends Pick<StoreInspection, "unfinished" | "quarantined" | "lock"> {
  /** All names that this library did not put there. */
  readonly foreign: readonly string[];
}

/** What is known of a snapshot before its first byte. */
export interface BeginOptions {
  /** The length of its state in bytes; `append()` never gets more. */
  readonly expectedSize?: number | undefined;
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
   * Fills `buffer` from `position` again, from where the bytes come from: a
   * checksum has found what `read()` gave to be wrong. May overlap a `read()`,
   * and what `read()` has fetched ahead must not be used any more. For a place
   * whose bytes can be damaged on their way here; without it, what is wrong
   * stays wrong.
   */
  reread?(buffer: Uint8Array, position: number): Promise<void>;
  /**
   * Lets the state go. May be called more than once, and during a read, which
   * must then end soon. Resolves when no buffer is in use any more.
   */
  close(): Promise<void>;
}

/** A place that snapshots can be read from. */
export interface ReadableBackend {
  /** Where it is, for messages; may be asked before `connect()`. */
  readonly place: string;
  /**
   * Called once, first, when the store's options have been checked. Creates the
   * place if it is missing, claims it, and removes unfinished snapshots. When
   * it rejects, nothing is held. Once it has resolved, every snapshot that
   * `names()` gives as published survives a power cut.
   */
  connect?(host: BackendHost): Promise<void>;
  /** Lists the place: resolves to all of its names or rejects. */
  names(): Promise<BackendNames>;
  /**
   * Looks closely at snapshots that are not published, for an operator; takes
   * no lock. Of a backend without it the store tells what `names()` gives.
   */
  inspect?(): Promise<BackendInspection>;
  /**
   * The exact bytes of `meta.json`. It looks first whether there is such a
   * snapshot, which it need not do when `isListed`: `names()` has given it just
   * now.
   *
   * @throws {SnapshotNotFoundError} when it is not published, or not any more.
   * @throws {SnapshotCorruptError} when the part is missing, or longer than
   * `sizeMax` bytes; it must not be read then.
   */
  readMeta(
    id: string,
    sizeMax: number,
    isListed?: boolean,
  ): Promise<Uint8Array>;
  /** The exact bytes of `blocks.crc64`; `undefined` when there is none. */
  readBlocks(id: string, sizeMax: number): Promise<Uint8Array | undefined>;
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
   * For each of the snapshots a text that is another one when `readMeta()`,
   * `readBlocks()` or `stateSize()` may give something else than before, so that
   * a list need not ask again. `undefined` where that can't be promised at the
   * moment. A backend without this method is asked each time.
   */
  versions?(ids: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** The version of what these three have given last, without a look. */
  versionRead?(id: string): string | undefined;
  /** The length of the state in bytes, without opening it. */
  stateSize(id: string): Promise<number>;
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
   * IDs that no new snapshot may have, whatever has them. Rejects as long as the
   * place can't promise that a new snapshot would be durable.
   */
  takenIds(): Promise<readonly string[]>;
  /**
   * Begins a snapshot and claims its ID; `"taken"` when something else has the
   * ID by now. Leaves nothing when it rejects. `meta` is what `meta.json` says
   * until the snapshot is published.
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
   */
  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Makes durable that removed snapshots are invisible, and removes their bytes;
   * continues with removals that failed before. Called after `remove()`, often
   * in the background. Bytes that can't be removed are logged; it rejects only
   * when the removal is not durable.
   */
  finishRemovals?(): Promise<void>;
  /**
   * Removes what is unfinished and whose writer has ended, as `connect()` does;
   * `olderThanMs` is how long an invisible writer must have changed nothing. Of
   * a backend without it all that is unfinished stays.
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
   * @throws {SnapshotNotFoundError} when it is not published any more.
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
   * until it settles. It throws, and does not only reject, when something that
   * was appended before has been lost: the next block must not wait to hear it.
   */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the snapshot visible under its ID, in one step; never in place of
   * something else. One of three ends: it resolves, and the snapshot is visible,
   * whole and survives a power cut. It rejects with `MaybePublishedError`: the
   * snapshot is visible, or may be or become so; nothing of it is removed. Any
   * other rejection: it never becomes visible, and the store calls `discard()`.
   */
  publish(parts: FinalParts): Promise<void>;
  /**
   * Removes every trace. May come during `append()`, which must then end soon.
   * Failures are logged: it never rejects.
   */
  discard(): Promise<void>;
}
