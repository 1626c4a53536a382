/**
 * Reads an archive without a store.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import type { Progress } from "../snapshot/types.ts";
import { makeSource } from "../store/source.ts";
import { withMeta } from "../store/source_with_meta.ts";
import { ArchiveInput } from "./archive_input.ts";
import type { ArchiveMeta } from "./archive_meta.ts";
import { ArchiveReader } from "./archive_reader.ts";
import { readerOf } from "./generator_reader.ts";
import type { ArchiveOrigin } from "./origin.ts";

/** Options of `readArchive()`. */
export interface ReadArchiveOptions {
  /** Errors the source when it aborts. */
  readonly signal?: AbortSignal;
  /** Called as bytes of the state are read. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Called with the name of each member that is accepted although it can't be
   * checked: Vault's `SHA256SUMS.sealed`, whose key only the cluster has.
   */
  readonly onUnchecked?: (member: string) => void;
  /**
   * The longest state to accept, in bytes: a few megabytes of archive may
   * decompress to gigabytes of zeros. @default {Infinity}
   */
  readonly stateSizeMax?: number;
}

/** Their names. */
export const READ_OPTIONS: OptionNames<ReadArchiveOptions> = {
  signal: true,
  onProgress: true,
  onUnchecked: true,
  stateSizeMax: true,
};

/** The state in an archive, checked as it is read. */
export type ArchiveSource = ReadableStream<Uint8Array<ArrayBuffer>> & {
  /** The archive's metadata. Do not trust it before the source has ended. */
  readonly meta: ArchiveMeta;
  /**
   * Ends the source unless it was read out, and cancels the archive, for
   * `await using`.
   */
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Reads an archive without a store: to look at it, to check it, or to restore a
 * state machine from it. Resolves once the metadata has been read. The source
 * is the state that follows; it must be read out or cancelled. To cancel it
 * cancels `archive` too, or calls `return()` of an iterable without waiting for
 * that. The source ends only when everything in the archive has been checked,
 * up to its last byte, and otherwise errors; the last chunk is held back until
 * then. Memory stays bounded, whatever is in the archive.
 *
 * @throws {SnapshotArchiveError} when the archive can't be trusted; the source
 * errors with it, too.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 * @throws {TypeError} when the stream is locked, or gives something other than
 * bytes.
 *
 * @example Check an archive
 * ```ts
 * import { readArchive } from "@raft/snapshots/archive";
 *
 * async function check(file: Blob): Promise<void> {
 *   const source = await readArchive(file.stream());
 *   await source.pipeTo(new WritableStream());
 *   console.log(`${source.meta.id} is good: ${source.meta.size} bytes`);
 * }
 * ```
 */
export async function readArchive(
  archive: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  options: ReadArchiveOptions = {},
): Promise<ArchiveSource> {
  requireKnown(options, READ_OPTIONS);
  return (await openArchive(new ArchiveInput(archive), options)).source;
}

/** An archive whose metadata has been read. */
export interface OpenedArchive {
  /** The state, as `readArchive()` gives it. */
  readonly source: ArchiveSource;
  /**
   * The parts that an export needs to make the same archive again; only once
   * the source has ended.
   */
  readonly origin: () => ArchiveOrigin;
}

/** Opens an archive, for `readArchive()` and for imports. */
export async function openArchive(
  input: ArchiveInput,
  options: ReadArchiveOptions,
): Promise<OpenedArchive> {
  const { signal, onProgress, ...limits } = options;
  const reader = new ArchiveReader(input.next, limits);
  let total = 0;
  const made = makeSource(
    readerOf(reader.readState(), async (reason) => {
      await input.cancel(reason);
      await reader.close();
    }),
    { signal, onBytes: (done) => onProgress?.({ done, total }) },
  );
  let meta: ArchiveMeta;
  try {
    // When the signal aborts, the source ends the input, and this rejects.
    meta = await reader.readMeta();
  } catch (error) {
    await made.abort(error);
    // A read that a signal aborts looks like an archive that is cut short.
    throw made.end === undefined ? error : made.end.reason;
  }
  total = meta.size;
  const source = withMeta(made, meta, "ArchiveSource");
  return { source, origin: () => reader.origin() };
}
