/**
 * A place for unchanged archives: a directory or a bucket with a file or object
 * for each archive. A store of snapshots, in contrast, takes archives apart.
 *
 * @module
 */

/** An archive in a store of archives. */
export interface StoredArchive {
  /** Its name there: `<index>-<unixMs>.snap`. */
  readonly name: string;
  /** The last log index that its state includes, as its name says; a uint64. */
  readonly index: bigint;
  /** When it was begun, as its name says. */
  readonly createdAt: Date;
  /** The length of its file in bytes. */
  readonly size: number;
}

/** The parts of a new archive's name. */
export interface ArchiveNaming {
  /** The last log index that its state includes; a uint64. */
  readonly index: bigint;
  /** When it was begun. @default {now} */
  readonly createdAt?: Date | undefined;
}

/**
 * Takes the bytes of an archive. Nothing is visible before `close()` has
 * resolved, and then all of it is, durably. The caller must close or abort it.
 */
export type ArchiveSink = WritableStream<Uint8Array> & {
  /** The name that the archive will have. */
  readonly archiveName: string;
};

/** The right of one process to work in a store of archives. */
export interface ArchiveLease {
  /**
   * Aborts when the lease may have been lost, and another process may have it:
   * its holder must stop.
   */
  readonly signal: AbortSignal;
  /** Gives the lease up. Never rejects: a lease that stays ends by itself. */
  release(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Keeps archives (`.snap` files of Consul, Nomad and Vault) unchanged, each
 * under a name of its own, `<index>-<unixMs>.snap`. Files with other names are
 * left alone. It does not look into archives: `copyArchive()` and
 * `readArchive()` of `@raft/snapshots/archive` check them on the way in and
 * out.
 */
export interface ArchiveStore {
  /** Where the archives are, for messages. */
  readonly place: string;
  /**
   * The archives, the newest first by the time in their names: after a cluster
   * was rebuilt, its index starts again.
   *
   * @throws {StoreAccessError} when they can't be listed.
   */
  list(): Promise<StoredArchive[]>;
  /**
   * Begins an archive. `close()` of the sink fails when there is one of its name.
   *
   * @throws {StoreAccessError} when it can't be written.
   * @throws {RangeError} when the index or the time can't be in a name.
   */
  create(naming: ArchiveNaming): Promise<ArchiveSink>;
  /**
   * Opens an archive. The caller must read the stream out, or cancel it.
   *
   * @throws {SnapshotNotFoundError} when the store has no archive of that name.
   * @throws {StoreAccessError} when it can't be read.
   */
  open(name: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /**
   * Removes an archive; it may be gone already.
   *
   * @throws {SnapshotNotFoundError} when the name is not one of an archive.
   * @throws {SnapshotRetainedError} when the place does not allow it.
   * @throws {StoreAccessError} when it can't be removed.
   */
  delete(name: string): Promise<void>;
  /**
   * Removes unfinished archives of writers that have ended, by their age.
   * Resolves to the names that it has removed.
   *
   * @param olderThanMs how old it must be, in milliseconds. A day by default.
   * @throws {StoreAccessError} when the place can't be read or written.
   */
  sweep(olderThanMs?: number): Promise<string[]>;
  /**
   * Takes the lease, of which there is one: while a process holds it, no other
   * does. It is not needed to write; several programs that do the same work take
   * it in order to work in turn. When its holder is killed, the next can take it:
   * at once in a directory, within a minute in a bucket.
   *
   * @throws {StoreLockedError} when another process holds it.
   * @throws {StoreAccessError} when it can't be taken.
   */
  lease(): Promise<ArchiveLease>;
}

/** The default age from which a sweep removes unfinished archives: a day. */
export const SWEEP_AFTER_MS = 24 * 60 * 60 * 1000;
