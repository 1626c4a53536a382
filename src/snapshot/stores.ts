/**
 * The methods of every store, whatever place it keeps snapshots in.
 *
 * @module
 */

import type {
  CreateOptions,
  OpenOptions,
  RestoreOptions,
  Restorer,
  RestoreResult,
  SaveOptions,
  SnapshotHeader,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  SnapshotSource,
  StateInput,
  VerifyOptions,
  VerifyReport,
} from "./types.ts";
import type {
  CleanOptions,
  CleanReport,
  StoreInspection,
} from "./inspection.ts";
import type { ListEntry } from "./listing.ts";

/** A place that snapshots are read from. */
export interface SnapshotReader {
  /**
   * Every snapshot, newest first, also those that can't be used: each with its
   * metadata or with the reason, and with no warning. Corrupt snapshots in
   * quarantine are included. No state is read:
   * {@linkcode SnapshotReader.verify} does that.
   *
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  list(options: { readonly unusable: true }): Promise<ListEntry[]>;
  /**
   * The published snapshots, newest first by term, index and time, or as the
   * option `order` says. One that is corrupt or can't be read is passed over with a warning.
   *
   * @throws {StoreAccessError} when the process or the place is at fault
   * (`EMFILE`), because a list with a part left out would look complete.
   * @throws {StoreClosedError} when the store has been closed.
   */
  list(
    options?: { readonly unusable?: false | undefined },
  ): Promise<SnapshotMeta[]>;
  /**
   * The metadata of a published snapshot; its state is not opened.
   *
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {SnapshotCorruptError} when it is seen to be corrupt without its
   * state being read.
   * @throws {SnapshotUnreadableError} when an error of the system keeps it from
   * being read.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  stat(id: string): Promise<SnapshotMeta>;
  /**
   * The exact bytes of a published snapshot's small files, checked, for a server
   * that hands them to other machines.
   *
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {SnapshotCorruptError} when its metadata can't be trusted.
   * @throws {SnapshotUnreadableError} when an error of the system keeps it from
   * being read.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  header(id: string): Promise<SnapshotHeader>;
  /**
   * Opens a published snapshot for reading.
   *
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {SnapshotCorruptError} when it is corrupt.
   * @throws {SnapshotUnreadableError} when an error of the system keeps it from
   * being read.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {RangeError} when `start` and `end` are not in the state, in order.
   * @throws {TypeError} when an option has the wrong type.
   * @throws {StoreClosedError} when the store has been closed.
   */
  open(id: string, options?: OpenOptions): Promise<SnapshotSource>;
  /**
   * For start-up: calls `restore` with the newest snapshot, and with the next
   * older one when that fails, until one has been restored. Corrupt snapshots
   * are quarantined (at most two are kept) once an older one has been restored,
   * unless the store was opened to read only. The source is valid until the
   * promise that `restore` returned has settled.
   *
   * A snapshot counts as restored when every byte was handed out, and so was
   * checked, or when the source was cancelled with a reason. A pipe whose target
   * fails cancels it with that failure, which `restore` must pass on. The bytes
   * that `tee()` or a transfer to a worker has taken count as handed out.
   *
   * Resolves to the snapshot that was restored and those that were passed over,
   * or to `undefined` when the store is empty.
   *
   * @throws {NoUsableSnapshotError} when there are snapshots, but none could be
   * restored.
   * @throws {StoreAccessError} when the process or the place is at fault
   * (`EMFILE`), also when `restore` throws such an error: it is called again with
   * the same snapshot, a few times, and with no older one.
   * @throws {SnapshotTooLargeError} when a state is larger than the `maxSize` of
   * a place that has this option: no older snapshot is tried.
   * @throws {TypeError} when `restore` is not a function or an option does not
   * exist; or when `restore` settles before it has read the source, because a
   * promise is not awaited or a decoder stops early. That is a mistake in the
   * program: no older snapshot is tried, and none is quarantined.
   * @throws {StoreClosedError} when the store has been closed.
   */
  restore(
    restore: Restorer,
    options?: RestoreOptions,
  ): Promise<RestoreResult | undefined>;
  /**
   * Reads a snapshot and checks every byte. Damage is in the report, and does
   * not reject.
   *
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {SnapshotUnreadableError} when an error of the system keeps it from
   * being read.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  verify(id: string, options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Reports all but the published snapshots: unfinished snapshots, those in
   * quarantine, names that this library did not put there, and the holder of
   * the lock. Changes nothing and takes no lock, and so may run beside a
   * program that uses the store.
   *
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  inspect(): Promise<StoreInspection>;
  /**
   * Cancels the open sinks, errors the open sources, and gives the place up.
   * Every later call rejects with {@linkcode StoreClosedError}.
   *
   * @throws {SnapshotError} when the place can't be given up cleanly: a lock's
   * file can't be removed. The lock is given up in any case: the next store that
   * this process opens takes it. A later call tries again to remove the file.
   */
  close(): Promise<void>;
  /**
   * The same as `close()`, for `await using`.
   *
   * @throws {SnapshotError} when the place can't be given up cleanly.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A place that snapshots are written to and read from. */
export interface SnapshotStore extends SnapshotReader {
  /**
   * Begins a snapshot. The caller must close or cancel the sink.
   *
   * @throws {TypeError} when a value of `init` or an option has the wrong type.
   * @throws {RangeError} when a number is out of its bounds.
   * @throws {SnapshotError} when the snapshot can't be begun, because the disk
   * is full or the like.
   * @throws {StoreAccessError} when the store was opened to read only.
   * @throws {StoreClosedError} when the store has been closed.
   */
  create(init: SnapshotInit, options?: CreateOptions): Promise<SnapshotSink>;
  /**
   * Writes a whole snapshot, and resolves to its metadata once it survives a
   * power cut. Use it to write many small records: an iterable's chunks go
   * straight into the block that is being filled, where a stream costs
   * microseconds for each. One buffer may be reused for all of them. When the
   * snapshot fails or is cancelled, the iterable is ended (`return()`) or the
   * stream cancelled, and no part of the snapshot stays. Bytes and blobs are
   * written again, twice at most, when the place has lost them, such as a bucket
   * whose upload met a conflict.
   *
   * @throws {SnapshotPublishError} when the snapshot can't be written or
   * published, or differs from `expected`.
   * @throws {unknown} the error of the iterable or stream, or the signal's
   * reason, unchanged.
   * @throws {TypeError} when the state, a chunk, a value of `init` or an option
   * has the wrong type.
   * @throws {RangeError} when a number is out of its bounds.
   * @throws {SnapshotError} when the snapshot can't be begun, because the disk
   * is full or the like.
   * @throws {StoreAccessError} when the store was opened to read only.
   * @throws {StoreClosedError} when the store has been closed.
   */
  save(
    init: SnapshotInit,
    state: StateInput,
    options?: SaveOptions,
  ): Promise<SnapshotMeta>;
  /**
   * Adds block checksums to a snapshot that has none, because Go wrote it,
   * after checking it against its CRC. From then on it is read in one pass, and
   * a change of its `meta.json` is noticed. Go ignores the checksums.
   *
   * @throws {SnapshotCorruptError} when it is corrupt; nothing is written.
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {UnsupportedSnapshotVersionError} when it, or the checksums that it
   * has, are of a version that this library does not know.
   * @throws {SnapshotError} when it has more blocks of `blockSize` bytes than a
   * `blocks.crc64` may list (some eight million).
   * @throws {OperationUnsupportedError} when the place does not support that.
   * @throws {StoreAccessError} when the store was opened to read only.
   */
  seal(id: string, options?: VerifyOptions): Promise<SnapshotMeta>;
  /**
   * Removes all but the newest `retain` snapshots, as happens in the background
   * after every close of a sink. Resolves once their bytes are gone. Never
   * removes the only good snapshot, and reads some snapshots to find it.
   *
   * @throws {SnapshotUnreadableError} when a state can't be read: none is removed.
   * @throws {StoreAccessError} when the process or the place is at fault, or the
   * store was opened to read only.
   */
  reap(): Promise<void>;
  /**
   * Removes unfinished snapshots and deletions that a crash has left, as
   * opening a store does. Snapshots that may still be under way stay, and so do
   * published snapshots and those in quarantine.
   *
   * @throws {TypeError} when an option has the wrong type.
   * @throws {RangeError} when an option is out of its bounds.
   * @throws {StoreAccessError} when the process or the place is at fault, or the
   * store was opened to read only.
   * @throws {StoreClosedError} when the store has been closed.
   */
  clean(options?: CleanOptions): Promise<CleanReport>;
  /**
   * Removes a snapshot. Readers that have it open are not disturbed.
   *
   * @throws {SnapshotNotFoundError} when the store has no snapshot of that ID.
   * @throws {SnapshotRetainedError} when the place does not allow it to be
   * removed.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {StoreAccessError} when the store was opened to read only.
   */
  delete(id: string): Promise<void>;
}
