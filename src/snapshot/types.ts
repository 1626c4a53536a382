/**
 * The vocabulary of snapshots: metadata, options, sinks and sources. It follows
 * `snapshot.go` and `configuration.go` of HashiCorp Raft.
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

/** The fields of a snapshot's `meta.json`. */
export interface SnapshotMetaFields {
  /**
   * Version of the metadata's format. This library reads 0 and 1, and writes 1.
   */
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
  /**
   * When the state was taken, where that was before the snapshot was written:
   * it is a copy, or was imported from an archive. Go does not know it.
   */
  readonly takenAt?: Date | undefined;
}

/**
 * The metadata of a snapshot, which is known without reading its state.
 * `JSON.stringify()` takes it. A structured clone, such as `postMessage()`
 * makes, has all but `toJSON()`.
 */
export interface SnapshotMeta extends SnapshotMetaFields {
  /** When the snapshot was begun: the time in its ID. */
  readonly createdAt: Date;
  /** For `JSON.stringify()`: bigints become strings, because JSON has none. */
  toJSON(): SnapshotMetaJson;
}

/** A snapshot's metadata as JSON, also in the `--json` of the command line. */
export interface SnapshotMetaJson {
  /** The name that `open()` takes. */
  readonly id: string;
  /** The term of the last log index that the state includes, in decimal. */
  readonly term: string;
  /** The last log index that the state includes, in decimal. */
  readonly index: string;
  /** When the snapshot was begun, in ISO 8601. */
  readonly createdAt: string;
  /** When the state was taken, in ISO 8601, where the metadata tell. */
  readonly takenAt?: string;
  /** Length of the state in bytes. */
  readonly size: number;
  /** CRC-64/XZ of the state: 16 hexadecimal digits. */
  readonly crc: string;
  /** Version of the metadata's format. */
  readonly version: 0 | 1;
  /** The members of the cluster. */
  readonly configuration: Configuration;
  /** The log index at which that configuration was written, in decimal. */
  readonly configurationIndex: string;
  /** The voters' addresses in msgpack, in base64 as in `meta.json`. */
  readonly peers: string;
}

/** The exact bytes of a snapshot's small files. The caller owns them. */
export interface SnapshotHeader {
  /** The bytes of `meta.json`. */
  readonly meta: Uint8Array;
  /**
   * The bytes of `blocks.crc64`; `undefined` when the snapshot has none, because
   * Go wrote it, or when they are damaged.
   */
  readonly blocks: Uint8Array | undefined;
}

/** The description of a snapshot that `create()` is to begin. */
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
  /** The voters' addresses in msgpack; only used with `version: 0`. */
  readonly peers?: Uint8Array | undefined;
  /** When the state was taken, in the years 0 to 9999. @default {now} */
  readonly takenAt?: Date | undefined;
}

/** Conditions that a state must meet to be published. */
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
   * The expected size and CRC. When the state differs, `close()` rejects with
   * {@linkcode SnapshotPublishError}, whose cause is a
   * {@linkcode SnapshotCorruptError}, and nothing is published: a transfer that
   * was cut short never becomes a snapshot. A write beyond the expected size
   * fails at once.
   */
  readonly expected?: ExpectedState | undefined;
}

/**
 * A state for `save()`: bytes, or a source of bytes. The chunks of an iterable
 * may be of any size; many small ones cost little. A response must be a
 * successful one.
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
  /**
   * Called as bytes are taken, though not for each of many small chunks; `total`
   * is 0 where the size is not known. When the state is written again, `done`
   * starts again, too.
   */
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
 * - `"stream"`: one pass. Without block checksums, bytes are handed out that have
 *   not been checked yet; the last chunk is held back until the check of the
 *   whole has passed. With them it is the same as `"auto"`.
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
  /**
   * Reads into a few buffers in turn, which is faster. A chunk is valid until
   * the next one is requested, as with Go's `Read`, and then overwritten. For
   * consumers that are done with a chunk before they request the next: `for
   * await`, a loop of `reader.read()`, or `pipeTo()` a stream of the default
   * queuing strategy whose `write()` settles when it is done.
   *
   * Not safe with consumers that read ahead: `tee()`, `new Response(source)`,
   * `pipeThrough()` a stream that passes chunks on, and `pipeTo()` a stream
   * with a larger queue, as the sink of a store is. @default {false}
   */
  readonly reuseBuffers?: boolean | undefined;
}

/** Options of `restore()`. */
export type RestoreOptions = Pick<OpenOptions, "reuseBuffers">;

/** Options of `verify()`. */
export interface VerifyOptions {
  /** Stops the check when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes are checked. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The result of `verify()`. */
export interface VerifyReport {
  /** The snapshot that was checked. */
  readonly id: string;
  /** Whether every check passed. */
  readonly ok: boolean;
  /** Its metadata, or `undefined` when the metadata is corrupt. */
  readonly meta: SnapshotMeta | undefined;
  /** Whether it has block checksums that can be used. Go writes none. */
  readonly sealed: boolean;
  /**
   * Length in bytes of the blocks that were checked; 0 without checked blocks.
   */
  readonly blockSize: number;
  /** The number of those blocks. */
  readonly blockCount: number;
  /** Where each bad block starts, in bytes; empty unless `sealed`. */
  readonly badOffsets: readonly number[];
  /** The errors that were found, with the first bad block; empty when `ok`. */
  readonly errors: readonly SnapshotCorruptError[];
}

/**
 * The stream to which a snapshot's state is written. Closing it publishes the
 * snapshot; aborting it, an error of the producer, or
 * {@linkcode SnapshotSink.cancel} removes every trace.
 */
export interface SnapshotSink extends WritableStream<Uint8Array> {
  /** The ID that the snapshot has once it is published. */
  readonly id: string;
  /** The snapshot's metadata; `size` and `crc` are final after close. */
  readonly meta: SnapshotMeta;
  /**
   * The outcome of the snapshot, in whatever way the stream is closed. Resolves
   * to the final metadata once the snapshot survives a power cut; rejects with
   * {@linkcode SnapshotPublishError} once the snapshot is given up or has
   * failed.
   *
   * Use this promise for a sink that has been transferred to another thread
   * (`postMessage`): there, `close()` of the writer resolves before the
   * snapshot is published, because the platform does not wait for the other
   * side.
   */
  readonly published: Promise<SnapshotMeta>;
  /**
   * Publishes the snapshot. When it resolves, the snapshot survives a power
   * cut. May be called again, also after `pipeTo()` closed the sink: the result
   * stays the same.
   *
   * @throws {SnapshotPublishError} when the snapshot can't be published, or was
   * given up. `published` tells whether it is in the store nevertheless.
   * @throws {TypeError} when a writer or a pipe holds the stream's lock; call
   * `writer.close()` instead.
   */
  close(): Promise<void>;
  /**
   * Gives the snapshot up and removes every trace, also while a writer holds
   * the stream's lock. Does nothing once the snapshot is published.
   */
  cancel(reason?: unknown): Promise<void>;
  /**
   * The same as `cancel()`, for `await using`: a sink that is left before its
   * `close()` has resolved is given up.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A snapshot's state, checked as it is read. Must be read out or cancelled. */
export type SnapshotSource = ReadableStream<Uint8Array<ArrayBuffer>> & {
  /** The snapshot's metadata. */
  readonly meta: SnapshotMeta;
  /**
   * Ends the source unless it was read out, also while a reader holds its lock:
   * a later read rejects with an `AbortError`. For `await using`.
   */
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Applies a snapshot's state; throws or rejects when it can't. When it returns,
 * or its promise settles, the source must have been read to its end, or
 * cancelled with a reason.
 */
export type Restorer = (source: SnapshotSource) => unknown;

/** A snapshot that `restore()` has passed over. */
export interface SkippedSnapshot {
  /** Its ID. */
  readonly id: string;
  /** Why it could not be restored. */
  readonly error: unknown;
}

/** The result of `restore()`. */
export interface RestoreResult {
  /** The snapshot that was restored; the log since its index is still needed. */
  readonly meta: SnapshotMeta;
  /** The newer ones that could not be restored, newest first. */
  readonly skipped: readonly SkippedSnapshot[];
}
