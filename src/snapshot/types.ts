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
  /** Version of the format. @default {1} */
  readonly version?: 1;
  /** Cancels the sink when it aborts, until the snapshot is published. */
  readonly signal?: AbortSignal;
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
  readonly verify?: VerifyMode;
  /** Errors the source when it aborts. */
  readonly signal?: AbortSignal;
  /** First byte of the state to hand out. @default {0} */
  readonly start?: number;
  /** The byte after the last one to hand out. @default {the state's size} */
  readonly end?: number;
  /** Called as bytes are handed out. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Options of `verify()`. */
export interface VerifyOptions {
  /** Stops the check when it aborts. */
  readonly signal?: AbortSignal;
  /** Called as bytes are checked. */
  readonly onProgress?: (progress: Progress) => void;
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
  /** What is wrong with it, of the bad blocks the first; empty when `ok`. */
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
   * cut. May be called again, also after `pipeTo()` closed the sink: the answer
   * stays what it was.
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

/** A place that snapshots are written to and read from. */
export interface SnapshotStore {
  /** Begins a snapshot. The caller must close or cancel the sink. */
  create(init: SnapshotInit): Promise<SnapshotSink>;
  /**
   * The published snapshots, newest first by term, index and time. In a
   * directory, one that is corrupt or can't be read is passed over with a
   * warning.
   *
   * @throws {StoreAccessError} when the process or the disk is at fault
   * (`EMFILE`), because a list with a part left out would look complete.
   */
  list(): Promise<SnapshotMeta[]>;
  /**
   * Opens a published snapshot for reading.
   *
   * @throws {SnapshotNotFoundError} when there is none of that ID.
   * @throws {SnapshotCorruptError} when it is corrupt.
   * @throws {SnapshotUnreadableError} when the system does not let it be read.
   * @throws {StoreAccessError} when the process or the disk is at fault.
   */
  open(id: string, options?: OpenOptions): Promise<SnapshotSource>;
}
