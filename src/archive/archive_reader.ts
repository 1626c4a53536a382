/**
 * Reads an archive from its first byte to its last, and trusts it only then
 * (`read` in the `archive.go` of `github.com/hashicorp/raft-snapshot`, and
 * `Verify` in its `snapshot.go`).
 *
 * @module
 */

import { ownBytes } from "../bytes.ts";
import { Sha256 } from "../runtime/sha256.ts";
import { META_SIZE_MAX } from "../snapshot/meta/decode.ts";
import { quote } from "../text.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import { type ArchiveMeta, decodeArchiveMeta } from "./archive_meta.ts";
import { ByteReader, type NextChunk } from "./byte_reader.ts";
import { gunzip } from "./gzip_reader.ts";
import { META, SEALED_SUMS, STATE, SUMS } from "./members.ts";
import type { ArchiveOrigin } from "./origin.ts";
import { checkSums } from "./sums.ts";
import { checkTarEnd } from "./tar_end.ts";
import { readEntry, skipPadding, type TarEntry } from "./tar_reader.ts";
import { missingMember, truncated } from "./wrong_end.ts";

/** The caller's callback and limit. */
export interface ArchiveReaderOptions {
  /** Called with each member that can't be checked. */
  readonly onUnchecked?: (member: string) => void;
  /** The longest state to accept, in bytes. */
  readonly stateSizeMax?: number;
}

/**
 * The longest small members, which are held in memory. raft-snapshot's limit is
 * 8 KiB each.
 */
const SIZES_MAX: ReadonlyMap<string, number> = new Map([
  [META, META_SIZE_MAX],
  [SUMS, 8 * 1024],
  [SEALED_SUMS, 8 * 1024],
]);

/** A small member that has been read whole. */
interface SmallMember {
  readonly bytes: Uint8Array;
  /** Where its bytes start in the tar. */
  readonly offset: number;
  /** When it was modified, in seconds since 1970, if that is known. */
  readonly modified: number | undefined;
}

/** Reads one archive: first its metadata, then its state and all the rest. */
export class ArchiveReader {
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  readonly #tar: ByteReader;
  readonly #options: ArchiveReaderOptions;
  readonly #small = new Map<string, SmallMember>();
  #state: TarEntry | undefined;

  /** `next` gives the archive's file, chunk by chunk. */
  constructor(next: NextChunk, options: ArchiveReaderOptions) {
    this.#chunks = gunzip(new ByteReader(next));
    this.#tar = new ByteReader(async () => {
      const { done, value } = await this.#chunks.next();
      return done ? undefined : value;
    });
    this.#options = options;
  }

  /** The metadata. It can't be trusted before the state has ended. */
  async readMeta(): Promise<ArchiveMeta> {
    const state = await this.#readUpToState();
    if (state === undefined) throw missingMember(STATE, this.#tar.position);
    const { offset } = state;
    const member = this.#small.get(META);
    if (member === undefined) {
      const where = { reason: "member", member: STATE, offset } as const;
      const [actual, expected] = [`${STATE} before ${META}`, `${META} first`];
      throw new SnapshotArchiveError({ ...where, actual, expected });
    }
    const meta = decodeArchiveMeta(
      member.bytes,
      member.offset,
      member.modified,
    );
    this.#checkStateSize(state, meta);
    this.#state = state;
    return meta;
  }

  /**
   * The state. Its last chunk is handed out only when the whole archive has
   * been checked, up to the last byte of the file.
   */
  async *readState(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    const entry = this.#state;
    if (entry === undefined) {
      throw new TypeError(
        "Cannot read the state: the metadata must be read first",
      );
    }
    const sha256 = new Sha256();
    let held: Uint8Array | undefined;
    for (let left = entry.size; left > 0;) {
      const bytes = await this.#tar.takeSome(left);
      if (bytes === undefined) throw this.#cutShort(entry, left);
      sha256.update(bytes);
      left -= bytes.length;
      if (held !== undefined) yield ownBytes(held);
      held = bytes;
    }
    await skipPadding(this.#tar, entry);
    await this.#readRest(sha256.hex());
    if (held !== undefined) yield ownBytes(held);
  }

  /**
   * The parts that an export needs to make the same archive again; only once
   * the state has been read.
   */
  origin(): ArchiveOrigin {
    const [meta, sums] = [this.#small.get(META), this.#small.get(SUMS)];
    if (meta === undefined || sums === undefined) {
      throw new TypeError(
        "Cannot give the origin of the archive: its state has not been read to " +
          "the end, which must be done first",
      );
    }
    return {
      meta: meta.bytes,
      sums: sums.bytes,
      sealedSums: this.#small.get(SEALED_SUMS)?.bytes,
      modified: meta.modified,
    };
  }

  /** Releases the decompressor; no call of `next` may be pending. */
  async close(): Promise<void> {
    await this.#chunks.return();
  }

  /** Reads the members after the state, and checks everything. */
  async #readRest(stateDigest: string): Promise<void> {
    await this.#readUpToState();
    // The end of the tar is the end of the file, which then checks itself.
    await checkTarEnd(this.#tar);
    const sums = this.#small.get(SUMS);
    if (sums === undefined) throw missingMember(SUMS, this.#tar.position);
    const meta = new Sha256();
    meta.update(this.#small.get(META)?.bytes ?? new Uint8Array(0));
    const actual = { [META]: meta.hex(), [STATE]: stateDigest };
    checkSums(sums.bytes, actual, sums.offset);
  }

  /**
   * Reads small members up to the state; resolves to the state's entry, or to
   * `undefined` at the end of the tar.
   */
  async #readUpToState(): Promise<TarEntry | undefined> {
    for (;;) {
      const entry = await readEntry(this.#tar);
      if (entry === undefined) return undefined;
      const { name, offset } = entry;
      if (this.#small.has(name) || this.#state?.name === name) {
        const where = { reason: "member", member: name, offset } as const;
        const [actual, expected] = [`a second ${name}`, "one"];
        throw new SnapshotArchiveError({ ...where, actual, expected });
      }
      if (name === STATE) return entry;
      this.#small.set(name, await this.#readSmall(entry));
      if (name === SEALED_SUMS) this.#options.onUnchecked?.(name);
    }
  }

  async #readSmall(entry: TarEntry): Promise<SmallMember> {
    const { size } = entry;
    requireSmall(entry);
    const offset = this.#tar.position;
    const bytes = await this.#tar.take(size);
    if (bytes.length < size) throw this.#cutShort(entry, size - bytes.length);
    await skipPadding(this.#tar, entry);
    return { bytes, offset, modified: entry.modified };
  }

  #checkStateSize({ size, offset }: TarEntry, meta: ArchiveMeta): void {
    const { stateSizeMax = Infinity } = this.#options;
    if (size === meta.size && size <= stateSizeMax) return;
    throw new SnapshotArchiveError({
      reason: "size",
      member: STATE,
      offset,
      actual: `${size} bytes`,
      expected: size === meta.size
        ? `at most ${stateSizeMax} bytes`
        : `${meta.size} bytes (Size in ${META})`,
      hint: size === meta.size ? "raise stateSizeMax to accept it" : undefined,
    });
  }

  /** The last `left` bytes of the member are not in the tar. */
  #cutShort({ name, size }: TarEntry, left: number): SnapshotArchiveError {
    const offset = this.#tar.position;
    const what = `${left} of ${size} bytes of ${name} are missing`;
    return truncated(what, { reason: "tar", member: name, offset });
  }
}

function requireSmall({ name, size, offset }: TarEntry): void {
  const sizeMax = SIZES_MAX.get(name);
  if (sizeMax === undefined) {
    throw new SnapshotArchiveError({
      reason: "member",
      offset,
      actual: `the member ${quote(name)}`,
      expected: `only ${STATE}, ${[...SIZES_MAX.keys()].join(", ")}`,
      hint: `pack the files by these names: tar -czf FILE ${META} ${STATE} ` +
        SUMS,
    });
  }
  if (size > sizeMax) {
    throw new SnapshotArchiveError({
      reason: "member",
      member: name,
      offset,
      actual: `${size} bytes`,
      expected: `at most ${sizeMax} bytes`,
    });
  }
}
