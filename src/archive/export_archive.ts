/**
 * Makes an archive of a snapshot in a store.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { SnapshotCorruptError } from "../errors.ts";
import { timeOf } from "../snapshot/id.ts";
import { Sha256 } from "../runtime/sha256.ts";
import { encodeArchiveMeta } from "../snapshot/meta/encode.ts";
import type {
  OpenOptions,
  SnapshotMeta,
  SnapshotSource,
} from "../snapshot/types.ts";
import type { SnapshotReader } from "../snapshot/stores.ts";
import { makeSource } from "../store/source.ts";
import { readerOf } from "./generator_reader.ts";
import { gzip } from "./gzip_writer.ts";
import { checkKeptSums, loadOrigin } from "./kept_origin.ts";
import { META, SEALED_SUMS, STATE, SUMS } from "./members.ts";
import type { ArchiveOrigin } from "./origin.ts";
import { encodeSums } from "./sums.ts";
import { END_BYTES, OCTAL_MAX } from "./tar_layout.ts";
import { encodeHeader, padding, type TarMember } from "./tar_writer.ts";

/** Options of `exportArchive()`. */
export interface ExportArchiveOptions
  extends Pick<OpenOptions, "verify" | "signal" | "onProgress"> {
  /**
   * How hard to compress, from 1 to 9; 0 stores the bytes as they are, as Vault
   * does, in a gzip file without compression. @default {6}
   */
  readonly level?: number | undefined;
  /**
   * When the members were modified, in milliseconds since 1970, rounded to
   * seconds. With the default, a snapshot always gives the same tar; Go uses
   * the time of the export.
   * @default {when the snapshot was taken}
   */
  readonly modifiedMs?: number | undefined;
  /**
   * Called with a warning when the files that an import has kept can't be used
   * or are not enough for Vault, and when Vault will refuse the archive because
   * its `meta.json` is too long.
   * @default {console.warn}
   */
  readonly onWarning?: (message: string) => void;
}

const EXPORT_OPTIONS: OptionNames<ExportArchiveOptions> = {
  verify: true,
  signal: true,
  onProgress: true,
  level: true,
  modifiedMs: true,
  onWarning: true,
};

/**
 * Makes an archive of a snapshot, which Consul, Nomad and Vault read as if they
 * had written it. The snapshot is opened when the stream is first read. The
 * stream must be read out or cancelled. It errors when the snapshot is corrupt
 * or missing, with the errors of {@linkcode SnapshotReader.open}.
 *
 * Vault refuses a `meta.json` of 8 KiB or more, which some 60 servers fill
 * (`onWarning` is called); Consul and Nomad accept any.
 *
 * @throws {RangeError} when `level` or `modifiedMs` is out of its bounds.
 *
 * @example Send a snapshot as an archive
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { exportArchive } from "@raft/snapshots/archive";
 *
 * const store = new MemorySnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["state"]).stream().pipeTo(sink);
 * const response = new Response(exportArchive(store, sink.id), {
 *   headers: { "content-type": "application/gzip" },
 * });
 * await response.body?.cancel();
 * ```
 */
export function exportArchive(
  store: Pick<SnapshotReader, "open">,
  id: string,
  options: ExportArchiveOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  requireKnown(options, EXPORT_OPTIONS);
  const {
    level = 6,
    modifiedMs,
    signal,
    onWarning = (text) => console.warn(text),
    ...openOptions
  } = options;
  requireWithin("level", level, 9);
  requireWithin("modifiedMs", modifiedMs ?? 0, OCTAL_MAX * 1000);
  const stopping = new AbortController();
  const open = async (): Promise<Packing> => {
    const { signal } = stopping;
    // Each chunk is compressed before the next one is asked for.
    const source = await store.open(id, {
      ...openOptions,
      signal,
      reuseBuffers: true,
    });
    try {
      const origin = await loadOrigin(store, source.meta, onWarning);
      const time = Math.round((modifiedMs ?? takenMs(source.meta)) / 1000);
      const kept = modifiedMs === undefined ? origin?.modified : undefined;
      const meta = origin?.meta ?? encodeArchiveMeta(source.meta);
      warnOfVaultsLimit(meta.length, onWarning);
      return { source, origin, meta, modified: kept ?? time };
    } catch (error) {
      await source.cancel(error).catch(() => {});
      throw error;
    }
  };
  const chunks = gzip(writeTar(open), level);
  const reader = readerOf(chunks, (reason) => {
    // Ends a read of the state that is under way.
    stopping.abort(reason);
    return Promise.resolve();
  });
  return makeSource(reader, { signal }).stream;
}

/** The contents of an archive. */
interface Packing {
  readonly source: SnapshotSource;
  /** The archive that the snapshot was imported from, to be made again. */
  readonly origin: ArchiveOrigin | undefined;
  /** The archive's `meta.json`. */
  readonly meta: Uint8Array;
  /** The members' time, in seconds since 1970. */
  readonly modified: number;
}

/** The members in the order in which Go writes them. */
async function* writeTar(
  open: () => Promise<Packing>,
): AsyncGenerator<Uint8Array, void, void> {
  const { source, origin, meta, modified } = await open();
  try {
    const { id, size } = source.meta;
    yield* writeSmall({ name: META, size: meta.length, modified }, meta);
    yield encodeHeader({ name: STATE, size, modified });
    const sha256 = new Sha256();
    yield* hashed(source, sha256);
    yield padding(size);
    const digests = { [META]: hexOf(meta), [STATE]: sha256.hex() };
    if (origin !== undefined) checkKeptSums(origin, digests, id);
    const sums = origin?.sums ?? encodeSums(digests);
    yield* writeSmall({ name: SUMS, size: sums.length, modified }, sums);
    const sealed = origin?.sealedSums;
    if (sealed !== undefined) {
      const member = { name: SEALED_SUMS, size: sealed.length, modified };
      yield* writeSmall(member, sealed);
    }
    yield new Uint8Array(END_BYTES);
  } finally {
    // Does nothing when the source has been read out.
    await source.cancel();
  }
}

function* writeSmall(
  member: TarMember,
  bytes: Uint8Array,
): Generator<Uint8Array, void, void> {
  yield encodeHeader(member);
  yield bytes;
  yield padding(member.size);
}

/**
 * The state, checked for the length in its metadata, which the tar's header
 * has.
 */
async function* hashed(
  source: SnapshotSource,
  sha256: Sha256,
): AsyncGenerator<Uint8Array, void, void> {
  const { id, size } = source.meta;
  let done = 0;
  for await (const chunk of source) {
    sha256.update(chunk);
    done += chunk.length;
    yield chunk;
  }
  if (done === size) return;
  throw new SnapshotCorruptError(`the state of snapshot ${id}`, {
    reason: "size",
    expected: size,
    actual: done,
  });
}

/** From this length on, raft-snapshot, which Vault uses, refuses a meta.json. */
const VAULT_META_BYTES = 8 * 1024;

function warnOfVaultsLimit(
  length: number,
  warn: (message: string) => void,
): void {
  if (length < VAULT_META_BYTES) return;
  warn(
    `Vault will refuse this archive: its meta.json has ${length} bytes, ` +
      `expected less than ${VAULT_META_BYTES}; Consul and Nomad take it`,
  );
}

function hexOf(bytes: Uint8Array): string {
  const sha256 = new Sha256();
  sha256.update(bytes);
  return sha256.hex();
}

/** When a snapshot was taken; 1970 where a tar can't hold that. */
function takenMs({ id, takenAt }: SnapshotMeta): number {
  const unixMs = (takenAt ?? timeOf(id))?.getTime() ?? 0;
  return unixMs >= 0 && unixMs <= OCTAL_MAX * 1000 ? unixMs : 0;
}

function requireWithin(name: string, value: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return;
  throw new RangeError(
    `Cannot use ${name}: found ${value}, expected an integer from 0 to ${max}`,
  );
}
