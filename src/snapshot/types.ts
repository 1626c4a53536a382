/**
 * The vocabulary: what a snapshot is, and what a store of snapshots does. It
 * follows `snapshot.go` and `configuration.go` of HashiCorp Raft.
 *
 * @module
 */

import type { SnapshotCorruptError } from "../errors.ts";

/** Whether a server has a vote. Go numbers them 0, 1 and 2. */
export type Suffrage = "voter" | "nonvoter" | "staging";

/** One member of the cluster. */
export interface Server {
  /** Whether it has a vote. */
  readonly suffrage: Suffrage;
  /** Its name, unique for all time. */
  readonly id: string;
  /** Where the Raft transport reaches it, such as `"10.0.0.1:7000"`. */
  readonly address: string;
}

/** The members of the cluster as of some log index. */
export interface Configuration {
  /** The members, in no particular order. */
  readonly servers: readonly Server[];
}

/** What is known of a snapshot without reading its state. */
export interface SnapshotMeta {
  /** Version of the metadata's format; 0 is only ever read, not written. */
  readonly version: 0 | 1;
  /** The name that `open()` takes: `<term>-<index>-<unixMs>`. */
  readonly id: string;
  /** The last log index that the state includes; a uint64. */
  readonly index: bigint;
  /** The term of that index; a uint64. */
  readonly term: bigint;
  /** The voters' addresses in msgpack, for version 0 readers; may be empty. */
  readonly peers: Uint8Array;
  /** The members of the cluster. */
  readonly configuration: Configuration;
  /** The log index at which that configuration was written; a uint64. */
  readonly configurationIndex: bigint;
  /** Length of the state in bytes. */
  readonly size: number;
  /** CRC-64/XZ of the state. */
  readonly crc: bigint;
}

/** What `create()` needs to know about the snapshot that is to be written. */
export interface SnapshotInit {
  /** The last log index that the state includes; 0 to 2^64-1. */
  readonly index: bigint | number;
  /** The term of that index; 0 to 2^64-1. */
  readonly term: bigint | number;
  /** The members of the cluster. */
  readonly configuration: Configuration;
  /** The log index at which that configuration was written; 0 to 2^64-1. */
  readonly configurationIndex: bigint | number;
  /**
   * Version of the format that the metadata came in, when it is another
   * snapshot's; it is written as version 1. @default {1}
   */
  readonly version?: 0 | 1 | undefined;
  /** The voters' addresses in msgpack; used of version 0 only, which has no more. */
  readonly peers?: Uint8Array | undefined;
}

/** What a state must be, so that it is published. */
export interface ExpectedState {
  /** Its length in bytes. */
  readonly size?: number | undefined;
  /** Its CRC-64/XZ. */
  readonly crc?: bigint | undefined;
}

/** Options of `create()`. */
export interface CreateOptions {
  /** Cancels the sink when it aborts, until the snapshot is published. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What the state must be. When it is another one, `close()` rejects with
   * {@linkcode SnapshotPublishError}, whose cause is a
   * {@linkcode SnapshotCorruptError}, and nothing is published: a transfer that
   * was cut short never becomes a snapshot. A state that gets too long fails at
   * once.
   */
  readonly expected?: ExpectedState | undefined;
}

/**
 * What `save()` takes as a state: bytes, or what gives bytes. The chunks of an
 * iterable may be of any size; many small ones cost little.
 */
export type StateInput =
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Options of `save()`. */
export interface SaveOptions extends CreateOptions {
  /** Called as bytes are taken; `total` is 0 where the size is not known. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** How far a long operation has come. */
export interface Progress {
  /** Bytes dealt with so far. */
  readonly done: number;
  /** Bytes in all. */
  readonly total: number;
}

/**
 * How far `open()` goes before it hands out the first byte:
 *
 * - `"auto"`: no byte is handed out that has not been checked;
 * - `"before"`: everything is checked before `open()` resolves;
 * - `"stream"`: one pass, checked at the end; the last chunk is held back until
 *   the check has passed.
 */
export type VerifyMode = "auto" | "before" | "stream";

/** Options of `open()`. */
export interface OpenOptions {
  /** When to check. @default {"auto"} */
  readonly verify?: VerifyMode | undefined;
  /** Errors the source when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** First byte of the state to hand out. @default {0} */
  readonly start?: number | undefined;
  /** The byte after the last one to hand out. @default {the state's size} */
  readonly end?: number | undefined;
  /** Called as bytes are handed out. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options of `verify()`. */
export interface VerifyOptions {
  /** Stops the check when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes are checked. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What `verify()` found. */
export interface VerifyReport {
  /** The snapshot that was checked. */
  readonly id: string;
  /** Whether every check passed. */
  readonly ok: boolean;
  /** Its metadata, or `undefined` when that itself can't be trusted. */
  readonly meta: SnapshotMeta | undefined;
  /** Whether it has block checksums that can be used. Go writes none. */
  readonly sealed: boolean;
  /** Length in bytes of the blocks it was checked in; 0 when it was not. */
  readonly blockSize: number;
  /** How many blocks that is. */
  readonly blockCount: number;
  /** Where each bad block starts, in bytes; known only of a sealed one. */
  readonly badOffsets: readonly number[];
  /** The errors that were found, with the first bad block; empty when `ok`. */
  readonly errors: readonly SnapshotCorruptError[];
}

/**
 * Where a snapshot's state is written to. Closing it publishes the snapshot;
 * aborting it, an error of the producer, or {@linkcode SnapshotSink.cancel}
 * removes every trace.
 */
export interface SnapshotSink extends WritableStream<Uint8Array> {
  /** The ID that the snapshot has once it is published. */
  readonly id: string;
  /** The snapshot's metadata; `size` and `crc` are final after close. */
  readonly meta: SnapshotMeta;
  /**
   * How the snapshot ends, in whatever way the stream is closed: resolves to the
   * final metadata once the snapshot survives a power cut, rejects with
   * {@linkcode SnapshotPublishError} once it is given up or has failed.
   *
   * This is what counts for a sink that has been transferred to another thread
   * (`postMessage`): there, `close()` of the writer resolves before the snapshot
   * is published, because the platform does not wait for the other side.
   */
  readonly published: Promise<SnapshotMeta>;
  /**
   * Publishes the snapshot. When it resolves, the snapshot survives a power
   * cut. May be called again, also after `pipeTo()` closed the sink: the result
   * stays the same.
   */
  close(): Promise<void>;
  /**
   * Gives the snapshot up and removes every trace, also while a writer holds
   * the stream's lock. Does nothing once the snapshot is published.
   */
  cancel(reason?: unknown): Promise<void>;
}

/** A snapshot's state, checked as it is read. Must be read out or cancelled. */
export type SnapshotSource = ReadableStream<Uint8Array<ArrayBuffer>> & {
  /** The snapshot's metadata. */
  readonly meta: SnapshotMeta;
};

/** Applies a snapshot's state; rejects when it can't. */
export type Restorer = (source: SnapshotSource) => Promise<unknown>;

/** A place that snapshots are read from. */
export interface SnapshotReader {
  /**
   * The published snapshots, newest first by term, index and time. One that is
   * corrupt or can't be read is passed over with a warning.
   *
   * @throws {StoreAccessError} when the process or the place is at fault
   * (`EMFILE`), because a list with a part left out would look complete.
   * @throws {StoreClosedError} when the store has been closed.
   */
  list(): Promise<SnapshotMeta[]>;
  /**
   * The metadata of a published snapshot, without its state being opened.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {SnapshotCorruptError} when it is seen to be corrupt without its
   * state being read.
   * @throws {SnapshotUnreadableError} when the system does not let it be read.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  stat(id: string): Promise<SnapshotMeta>;
  /**
   * Opens a published snapshot for reading.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {SnapshotCorruptError} when it is corrupt.
   * @throws {SnapshotUnreadableError} when the system does not let it be read.
   * @throws {UnsupportedSnapshotVersionError} when its version is unknown.
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {RangeError} when `start` and `end` are not in the state, in order.
   * @throws {TypeError} when an option has the wrong type.
   * @throws {StoreClosedError} when the store has been closed.
   */
  open(id: string, options?: OpenOptions): Promise<SnapshotSource>;
  /**
   * Start-up: calls `restore` with the newest snapshot, and with the next older
   * one when that fails, until one has been restored. Corrupt ones are
   * quarantined (at most two are kept) once an older one has taken their place,
   * unless the store is only read. The source is valid until the promise that
   * `restore` returned has settled.
   *
   * Resolves to the snapshot that was restored, or `undefined` when the store
   * is empty. It may be older than the newest: the log since its index is then
   * still needed.
   *
   * @throws {NoUsableSnapshotError} when there are snapshots, but none could be
   * restored.
   * @throws {StoreAccessError} when the process or the place is at fault
   * (`EMFILE`), also in what `restore` throws: it is called again with the same
   * snapshot, a few times, and with no older one.
   * @throws {TypeError} when `restore` is not a function.
   * @throws {StoreClosedError} when the store has been closed.
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
   * @throws {StoreAccessError} when the process or the place is at fault.
   * @throws {StoreClosedError} when the store has been closed.
   */
  verify(id: string, options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Cancels the open sinks, errors the open sources, and gives the place up.
   * Everything later is refused with {@linkcode StoreClosedError}.
   *
   * @throws {SnapshotError} when the place can't be given up cleanly: a lock's
   * file can't be removed. The lock is given up in any case: the next store that
   * this process opens takes it. A later call tries again to remove the file.
   */
  close(): Promise<void>;
  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A place that snapshots are written to and read from. */
export interface SnapshotStore extends SnapshotReader {
  /**
   * Begins a snapshot. The caller must close or cancel the sink.
   *
   * @throws {TypeError} when a value of `init` or an option has the wrong type.
   * @throws {RangeError} when a number is out of its bounds.
   * @throws {SnapshotError} when the snapshot can't be begun.
   * @throws {StoreAccessError} when the store was opened to read only.
   * @throws {StoreClosedError} when the store has been closed.
   */
  create(init: SnapshotInit, options?: CreateOptions): Promise<SnapshotSink>;
  /**
   * Writes a whole snapshot, and resolves to its metadata once it survives a
   * power cut. It is the way to write many small records: an iterable's chunks
   * go straight into the block that is being filled, where a stream costs
   * microseconds for each. One buffer may be reused for all of them. When the
   * snapshot fails or is cancelled, the iterable is ended (`return()`) or the
   * stream cancelled, and nothing is left.
   *
   * @throws {SnapshotPublishError} when the snapshot can't be written or
   * published, or is not what was expected.
   * @throws {unknown} what the iterable or stream fails with, or the signal's
   * reason, as it is.
   * @throws {TypeError} when the state, a chunk, a value of `init` or an option
   * has the wrong type.
   * @throws {RangeError} when a number is out of its bounds.
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
   * a change of its `meta.json` is noticed. Go does not mind.
   *
   * @throws {SnapshotCorruptError} when it is corrupt; nothing is written.
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {UnsupportedSnapshotVersionError} when it, or the checksums that it
   * has, are of a version that this library does not know.
   * @throws {SnapshotError} when it has more blocks of `blockSize` bytes than a
   * `blocks.crc64` may list (some eight million), or the place can't do so.
   * @throws {StoreAccessError} when the store was opened to read only.
   */
  seal(id: string, options?: VerifyOptions): Promise<SnapshotMeta>;
  /**
   * Removes snapshots that are older than the newest `retain`, as every close of
   * a sink does. Never removes the only good snapshot; reads some to find it.
   *
   * @throws {SnapshotUnreadableError} when a state can't be read: none is removed.
   * @throws {StoreAccessError} when the process or the place is at fault, or the
   * store was opened to read only.
   */
  reap(): Promise<void>;
  /**
   * Removes a snapshot. Readers that have it open are not disturbed.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {StoreAccessError} when the store was opened to read only.
   */
  delete(id: string): Promise<void>;
}
