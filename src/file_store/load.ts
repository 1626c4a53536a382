/**
 * Reading what a published snapshot says of itself, and trusting none of it
 * unchecked (`readMeta` in Go's `file_snapshot.go`).
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import {
  type CorruptionReason,
  SnapshotCorruptError,
  type SnapshotError,
  SnapshotNotFoundError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import type { FileHandle, FileStat } from "../fs/file_system.ts";
import { type DecodedMeta, decodeMeta, META_SIZE_MAX } from "../meta/decode.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import { describe, quote } from "../text.ts";
import {
  type BlockChecksums,
  BLOCKS_FILE_SIZE_MAX,
  decodeBlocks,
} from "./blocks.ts";
import { type StoreContext, toSnapshotError } from "./context.ts";
import { readFully, withFile } from "./files.ts";
import { parseId } from "./ids.ts";

/** The files of a snapshot, and what is broken when one is no good. */
const PARTS = {
  "meta.json": "meta",
  "state.bin": "size",
  "blocks.crc64": "block",
} as const satisfies Readonly<Record<string, CorruptionReason>>;

type PartName = keyof typeof PARTS;

/** A published snapshot, with its state not looked at yet. */
export interface LoadedSnapshot {
  /** Its metadata. */
  readonly meta: SnapshotMeta;
  /** CRC-64 of the exact bytes of its `meta.json`. */
  readonly metaCrc: bigint;
  /** Its block checksums; none when Go wrote it, or when they are damaged. */
  readonly blocks: BlockChecksums | undefined;
  /** Why there are no block checksums although there is a file of them. */
  readonly blocksError: SnapshotError | undefined;
}

/**
 * Loads a published snapshot. `id` must have passed the grammar.
 *
 * @throws {SnapshotNotFoundError} when there is no such snapshot.
 * @throws {SnapshotCorruptError} when its metadata can't be trusted.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 */
export async function loadSnapshot(
  context: StoreContext,
  id: string,
): Promise<LoadedSnapshot> {
  const what = `meta.json of snapshot ${id}`;
  await requireDirectory(context, id);
  const bytes = await readPart(context, id, "meta.json", META_SIZE_MAX);
  const decoded = decodeMeta(bytes, what);
  const meta = isKnown(decoded) ? checkMeta(decoded, id, what) : undefined;
  const metaCrc = crc64(bytes);
  const { blocks, blocksError } = await loadBlocks(context, id, decoded.size);
  if (blocks !== undefined && blocks.metaCrc !== metaCrc) {
    throw new SnapshotCorruptError(what, {
      reason: "meta",
      expected: `CRC-64 ${blocks.metaCrc.toString(16)}`,
      actual: `CRC-64 ${metaCrc.toString(16)}`,
    });
  }
  // Only now: a flipped bit can make another version.
  if (meta === undefined) {
    throw new UnsupportedSnapshotVersionError(
      `Cannot use snapshot ${id}: found version ${decoded.version}, ` +
        "expected 0 or 1",
    );
  }
  return { meta, metaCrc, blocks, blocksError };
}

type KnownMeta = DecodedMeta & Pick<SnapshotMeta, "version">;

function isKnown(decoded: DecodedMeta): decoded is KnownMeta {
  return decoded.version === 0 || decoded.version === 1;
}

function checkMeta(
  { crc, ...rest }: KnownMeta,
  id: string,
  what: string,
): SnapshotMeta {
  // A copied or renamed directory must not pass for the one it was made from.
  if (rest.id !== id) throw corrupt(what, `the ID ${id}`, quote(rest.id));
  const name = parseId(id);
  if (rest.term !== name?.term || rest.index !== name.index) {
    throw corrupt(
      what,
      "the term and index of its ID",
      `term ${rest.term} and index ${rest.index}`,
    );
  }
  // Go writes null while the state is being written, and publishes none.
  if (crc === null) throw corrupt(what, "a CRC", "none");
  return { crc, ...rest };
}

/** A damaged file of checksums is not trusted; the whole-file CRC remains. */
async function loadBlocks(
  context: StoreContext,
  id: string,
  stateSize: number,
): Promise<Pick<LoadedSnapshot, "blocks" | "blocksError">> {
  const what = `blocks.crc64 of snapshot ${id}`;
  try {
    const bytes = await readPart(
      context,
      id,
      "blocks.crc64",
      BLOCKS_FILE_SIZE_MAX,
    );
    const blocks = decodeBlocks(bytes, what);
    if (blocks.stateSize === stateSize) {
      return { blocks, blocksError: undefined };
    }
    throw new SnapshotCorruptError(`state size in ${what}`, {
      reason: "block",
      expected: stateSize,
      actual: blocks.stateSize,
    });
  } catch (error) {
    // Go writes none.
    if (systemCode(error) === "ENOENT") {
      return { blocks: undefined, blocksError: undefined };
    }
    const blocksError = toSnapshotError(`read ${what}`, error);
    context.logger.warn(`${describe(blocksError)}; not using it`);
    return { blocks: undefined, blocksError };
  }
}

/** Reads a small file of a snapshot whole. */
async function readPart(
  context: StoreContext,
  id: string,
  name: PartName,
  sizeMax: number,
): Promise<Uint8Array> {
  const what = `${name} of snapshot ${id}`;
  const read = async (file: FileHandle) => {
    const { size } = await file.stat();
    if (size > sizeMax) {
      throw new SnapshotCorruptError(what, {
        reason: PARTS[name],
        expected: `at most ${sizeMax} bytes`,
        actual: `${size} bytes`,
      });
    }
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  };
  const file = await openPart(context, id, name);
  try {
    return await withFile(file, read);
  } catch (error) {
    throw toSnapshotError(`read ${what}`, error);
  }
}

/**
 * A link to a directory is none: what it leads to is not in the store.
 *
 * @throws {SnapshotNotFoundError} when there is no directory of that name.
 */
export async function requireDirectory(
  context: StoreContext,
  id: string,
): Promise<void> {
  let cause: unknown;
  try {
    const { kind } = await context.fileSystem.stat(`${context.path}/${id}`);
    if (kind === "directory") return;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw toSnapshotError(`look at snapshot ${id}`, error);
    }
    cause = error;
  }
  throw new SnapshotNotFoundError(
    `Cannot find snapshot ${id} in ${context.path}`,
    { cause },
  );
}

/** Codes of `open` for what is missing, a link, a directory or a pipe. */
const NO_SUCH_FILE = new Set(["ENOENT", "ELOOP", "EISDIR", "EINVAL", "ENXIO"]);

/** Opens a file of a snapshot, which a whole snapshot has. */
async function openPart(
  context: StoreContext,
  id: string,
  name: PartName,
): Promise<FileHandle> {
  try {
    return await context.fileSystem.open(
      `${context.path}/${id}/${name}`,
      "read",
    );
  } catch (error) {
    throw await explain(context, id, name, error);
  }
}

/** Tells a removed snapshot from a damaged one, and that from other failures. */
async function explain(
  context: StoreContext,
  id: string,
  name: PartName,
  cause: unknown,
): Promise<SnapshotError> {
  const code = systemCode(cause) ?? "";
  const what = `${name} of snapshot ${id}`;
  if (!NO_SUCH_FILE.has(code)) return toSnapshotError(`open ${what}`, cause);
  // It may be the whole snapshot that has just been removed.
  if (code === "ENOENT") await requireDirectory(context, id);
  return new SnapshotCorruptError(what, {
    reason: PARTS[name],
    expected: "a file",
    actual: code === "ENOENT" ? "nothing" : `something else (${code})`,
    cause,
  });
}

/** Opens `state.bin` of a snapshot, checked to be of the right length. */
export async function openState(
  context: StoreContext,
  meta: SnapshotMeta,
): Promise<FileHandle> {
  const file = await openPart(context, meta.id, "state.bin");
  try {
    requireSize(meta, await file.stat());
    return file;
  } catch (error) {
    await file.close().catch(() => {});
    throw toSnapshotError(`look at state.bin of snapshot ${meta.id}`, error);
  }
}

/** A missing or cut off `state.bin` shows without opening it. */
export async function checkStateSize(
  context: StoreContext,
  meta: SnapshotMeta,
): Promise<void> {
  const path = `${context.path}/${meta.id}/state.bin`;
  try {
    requireSize(meta, await context.fileSystem.stat(path));
  } catch (error) {
    if (error instanceof SnapshotCorruptError) throw error;
    throw await explain(context, meta.id, "state.bin", error);
  }
}

function requireSize(meta: SnapshotMeta, { kind, size }: FileStat): void {
  if (kind === "file" && size === meta.size) return;
  throw new SnapshotCorruptError(`state.bin of snapshot ${meta.id}`, {
    reason: "size",
    expected: meta.size,
    actual: kind === "file" ? size : `a ${kind}`,
  });
}

function corrupt(
  what: string,
  expected: string,
  actual: string,
): SnapshotCorruptError {
  return new SnapshotCorruptError(what, { reason: "meta", expected, actual });
}
