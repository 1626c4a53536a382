/**
 * Copies an archive to another place: its bytes pass unchanged, in step with
 * the check of its content.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { META_SIZE_MAX } from "../snapshot/meta/decode.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import { ArchiveInput } from "./archive_input.ts";
import type { ArchiveMeta } from "./archive_meta.ts";
import { SEALED_SUMS } from "./members.ts";
import {
  openArchive,
  READ_OPTIONS,
  type ReadArchiveOptions,
} from "./read_archive.ts";

/** Options of {@linkcode copyArchive}. */
export interface CopyArchiveOptions extends ReadArchiveOptions {
  /** Cancels the copy when it aborts, until the sink is being closed. */
  readonly signal?: AbortSignal;
  /**
   * Whether an archive without Vault's `SHA256SUMS.sealed` is rejected. Vault
   * writes this member last, so its absence shows that the backup is
   * incomplete.
   *
   * @default {false}
   */
  readonly requireSealedSums?: boolean;
}

const COPY_OPTIONS: OptionNames<CopyArchiveOptions> = {
  ...READ_OPTIONS,
  requireSealedSums: true,
};

/** An archive that has been copied. */
export interface CopiedArchive {
  /** The metadata of its snapshot. */
  readonly meta: ArchiveMeta;
  /** The length of the archive's file in bytes. */
  readonly size: number;
}

/**
 * The destination of an archive: a sink, or a function that chooses one by the
 * metadata.
 */
export type ArchiveDestination =
  | WritableStream<Uint8Array>
  | ((
    meta: ArchiveMeta,
  ) => WritableStream<Uint8Array> | Promise<WritableStream<Uint8Array>>);

/**
 * Copies an archive unchanged, byte for byte, and checks it on the way as
 * `readArchive()` does. A backup must keep the exact bytes, because Vault's
 * sealed sums can't be made again. Each chunk is written once it has been
 * checked as far as possible, and the next one waits for it, so that only a few
 * chunks are in memory, however long the archive is. The sink is closed only
 * when everything has been checked, up to the last byte, and is aborted on the
 * first fault: a sink that keeps its bytes only on `close()` never keeps a bad
 * archive.
 *
 * A function in the place of a sink is called once the metadata is known, for a
 * name that has the index in it. The metadata is not checked yet.
 *
 * @throws {SnapshotArchiveError} when the archive can't be trusted.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 * @throws {TypeError} when a stream is locked, or the archive gives something
 * other than bytes.
 * @throws {unknown} the error of the archive or the sink.
 *
 * @example Keep an archive that a server sends, if it is whole
 * ```ts
 * import { copyArchive } from "@raft/snapshots/archive";
 *
 * async function keep(
 *   response: Response,
 *   file: WritableStream<Uint8Array>,
 * ): Promise<bigint> {
 *   if (response.body === null) throw new Error("the server sent nothing");
 *   const { meta } = await copyArchive(response.body, file);
 *   return meta.index;
 * }
 * ```
 */
export async function copyArchive(
  archive: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  sink: ArchiveDestination,
  options: CopyArchiveOptions = {},
): Promise<CopiedArchive> {
  requireKnown(options, COPY_OPTIONS);
  const { requireSealedSums = false, ...reading } = options;
  const { signal } = options;
  const output = new Output(sink);
  // At once: a write that is under way may never end by itself.
  const onAbort = () => void output.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    const input = new ArchiveInput(archive, output.pass);
    const { source, origin } = await openArchive(input, reading);
    try {
      await output.open(source.meta);
      const reader = source.getReader();
      while (!(await reader.read()).done);
      if (requireSealedSums && origin().sealedSums === undefined) {
        throw noSealedSums();
      }
      signal?.throwIfAborted();
    } catch (error) {
      await source.cancel(error).catch(() => {});
      throw error;
    }
    signal?.removeEventListener("abort", onAbort);
    await output.close();
    return { meta: source.meta, size: output.size };
  } catch (error) {
    await output.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function noSealedSums(): SnapshotArchiveError {
  return new SnapshotArchiveError({
    reason: "member",
    member: SEALED_SUMS,
    summary: `The archive is incomplete: ${SEALED_SUMS} is missing`,
    actual: `no ${SEALED_SUMS}`,
    expected: "the sums that Vault has sealed",
    hint:
      "Vault failed while it wrote the snapshot: see Vault's log, and take " +
      "the snapshot again",
  });
}

/**
 * More than the members before the state need: the metadata, two files of sums,
 * headers. Only an archive that was made to fill the memory has more.
 */
const HELD_BYTES_MAX = META_SIZE_MAX + 1024 * 1024;

/** The sink, as soon as there is one; chunks that come earlier are held. */
class Output {
  readonly #destination: ArchiveDestination;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Whether chunks go straight to the sink. */
  #isOpen = false;
  /** Bytes that have been taken. */
  size = 0;

  constructor(destination: ArchiveDestination) {
    this.#destination = destination;
    if (typeof destination !== "function") {
      this.#writer = destination.getWriter();
    }
  }

  /**
   * Calls a destination that is a function, and writes the bytes that were held
   * back.
   */
  async open(meta: ArchiveMeta): Promise<void> {
    if (typeof this.#destination === "function") {
      this.#writer = (await this.#destination(meta)).getWriter();
    }
    // The decompressor reads ahead: more may come to be held meanwhile.
    for (let chunk; (chunk = this.#held.shift()) !== undefined;) {
      await this.#writer?.write(chunk);
    }
    this.#isOpen = true;
  }

  /** Takes a chunk that the check is done with. */
  readonly pass = async (chunk: Uint8Array): Promise<void> => {
    this.size += chunk.length;
    if (this.#isOpen) return await this.#writer?.write(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_BYTES_MAX) {
      throw new SnapshotArchiveError({
        reason: "gzip",
        offset: this.size,
        actual: `${this.#heldBytes} bytes before the state`,
        expected: `at most ${HELD_BYTES_MAX}`,
      });
    }
    // An iterable may use its buffer again.
    this.#held.push(new Uint8Array(chunk));
  };

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** Never rejects: the error that led here is the one that matters. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer?.abort(reason).catch(() => {});
  }
}
