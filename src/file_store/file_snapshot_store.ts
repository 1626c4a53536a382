/**
 * What a store in a directory can do beyond what every store can.
 *
 * @module
 */

import type {
  SnapshotMeta,
  SnapshotStore,
  VerifyOptions,
  VerifyReport,
} from "../snapshot/types.ts";
import type { Restorer } from "./recovery.ts";

/** A {@linkcode SnapshotStore} in a directory. */
export interface FileSnapshotStore extends SnapshotStore {
  /**
   * Start-up: calls `restore` with the newest snapshot, and with the next older
   * one when that fails, until one has been restored. Corrupt ones are set
   * aside (renamed, at most two kept) once an older one has taken their place.
   * The source is valid until the promise that `restore` returned has settled.
   *
   * Resolves to the snapshot that was restored, or `undefined` when the store
   * is empty. It may be older than the newest: the log since its index is then
   * still needed.
   *
   * @throws {NoUsableSnapshotError} when there are snapshots, but none could be
   * restored.
   * @throws {StoreAccessError} when the process or the disk is at fault
   * (`EMFILE`), also in what `restore` throws: it is called again with the same
   * snapshot, a few times, and with no older one.
   * @throws {TypeError} when `restore` is not a function.
   */
  restore(restore: Restorer): Promise<SnapshotMeta | undefined>;
  /**
   * Reads a snapshot and checks every byte. That it is corrupt is in the
   * report.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {SnapshotUnreadableError} when the system does not let it be read.
   * @throws {StoreAccessError} when the process or the disk is at fault.
   */
  verify(id: string, options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Adds block checksums to a snapshot that has none, because Go wrote it,
   * after checking it against its CRC. From then on it is read in one pass, and
   * a change of its `meta.json` is noticed. Go does not mind.
   *
   * @throws {SnapshotCorruptError} when it is corrupt; nothing is written.
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {UnsupportedSnapshotVersionError} when it, or the checksums that it
   * has, are of a version that this library does not know.
   * @throws {SnapshotError} when it has more blocks of `blockSize` bytes than a
   * `blocks.crc64` may list (some eight million).
   */
  seal(id: string, options?: VerifyOptions): Promise<SnapshotMeta>;
  /**
   * Removes what is beyond `retain`, as every close of a sink does. Never
   * removes the only snapshot known to be good; reads some to find out.
   *
   * @throws {SnapshotUnreadableError} when a state can't be read: none is removed.
   * @throws {StoreAccessError} when the process or the disk is at fault.
   */
  reap(): Promise<void>;
  /**
   * Removes a snapshot. Readers that have it open are not disturbed.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   */
  delete(id: string): Promise<void>;
  /**
   * Cancels the open sinks, errors the open sources, and gives the lock up.
   * Everything later is refused with {@linkcode StoreClosedError}.
   *
   * @throws {SnapshotError} when the lock's file can't be removed. The lock is
   * given up in any case: the next store that this process opens takes it. A
   * later call tries again to remove the file.
   */
  close(): Promise<void>;
  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
