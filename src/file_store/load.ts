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
  SnapshotUnreadableError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import {
  checkCrc,
  EXTRA_SIZES_MAX,
  type ExtraName,
  ORIGIN,
} from "../snapshot/extras.ts";
import type { FileHandle, FileStat } from "../fs/file_system.ts";
import {
  type DecodedMeta,
  decodeMeta,
  META_SIZE_MAX,
} from "../snapshot/meta/decode.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { describe, quote } from "../text.ts";
import {
  type BlockChecksums,
  BLOCKS_FILE_SIZE_MAX,
  decodeBlocks,
} from "../snapshot/block_checksums.ts";
import type { StoreContext } from "./context.ts";
import { concernsSnapshot, toLookError } from "./error_scope.ts";
import { readFully, withFile } from "../fs/io.ts";
import { parseId } from "../snapshot/id.ts";
import { isThere, requireDirectory, waitForRemoval } from "./missing.ts";

/** The files of a snapshot, and what is broken when one is no good. */
const PARTS = {
  "meta.json": "meta",
  "state.bin": "size",
  "blocks.crc64": "block",
  [ORIGIN]: "archive",
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
  /**
   * Why there are no block checksums although there is a file of them. Always
   * about this snapshot: an error of the place is thrown.
   */
  readonly blocksError: SnapshotError | undefined;
}

/**
 * Loads a published snapshot. `id` must have passed the grammar.
 *
 * @throws {SnapshotNotFoundError} when there is no such snapshot.
 * @throws {SnapshotCorruptError} when its metadata can't be trusted.
 * @throws {SnapshotUnreadableError} when the system does not let it be read.
 * @throws {StoreAccessError} when the system's error is not about this snapshot.
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
    const bytes = await readFile(
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
    const blocksError = await explain(context, id, "blocks.crc64", error);
    if (!concernsSnapshot(blocksError)) throw blocksError;
    context.logger.warn(`${describe(blocksError)}; not using it`);
    return { blocks: undefined, blocksError };
  }
}

/** Reads an extra file of the snapshot; only imported snapshots have one. */
export async function readExtraFile(
  context: StoreContext,
  id: string,
  name: ExtraName,
): Promise<Uint8Array | undefined> {
  try {
    return await readFile(context, id, name, EXTRA_SIZES_MAX[name]);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw await explain(context, id, name, error);
  }
}

/** The damage of the snapshot's extra file; its state may be good. */
export async function findBadExtra(
  context: StoreContext,
  id: string,
): Promise<SnapshotCorruptError | undefined> {
  try {
    const bytes = await readExtraFile(context, id, ORIGIN);
    if (bytes !== undefined) checkCrc(bytes, `${ORIGIN} of snapshot ${id}`);
    return undefined;
  } catch (error) {
    if (error instanceof SnapshotCorruptError) return error;
    throw error;
  }
}

/** Reads a small file that a whole snapshot has. */
async function readPart(
  context: StoreContext,
  id: string,
  name: PartName,
  sizeMax: number,
): Promise<Uint8Array> {
  try {
    return await readFile(context, id, name, sizeMax);
  } catch (error) {
    throw await explain(context, id, name, error);
  }
}

/** Reads a small file of a snapshot; errors are the system's. */
function readFile(
  context: StoreContext,
  id: string,
  name: PartName,
  sizeMax: number,
): Promise<Uint8Array> {
  const { fileSystem, looking, path } = context;
  const read = async (file: FileHandle) => {
    const { size } = await file.stat();
    if (size > sizeMax) {
      throw new SnapshotCorruptError(`${name} of snapshot ${id}`, {
        reason: PARTS[name],
        expected: `at most ${sizeMax} bytes`,
        actual: `${size} bytes`,
      });
    }
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  };
  return looking.run(async () =>
    withFile(await fileSystem.open(`${path}/${id}/${name}`, "read"), read)
  );
}

/** Codes of `open` for a link, a directory or a pipe. */
const NOT_A_FILE = new Set(["ELOOP", "EISDIR", "EINVAL", "ENXIO"]);

/** Tells a removed snapshot from a damaged one, and that from other failures. */
async function explain(
  context: StoreContext,
  id: string,
  name: PartName,
  cause: unknown,
): Promise<SnapshotError> {
  const code = systemCode(cause) ?? "";
  const what = `${name} of snapshot ${id}`;
  if (cause instanceof SnapshotCorruptError) return cause;
  if (code === "ENOENT") return await explainMissing(context, id, name, cause);
  if (!NOT_A_FILE.has(code) || await isFile(context, id, name)) {
    return await toLookError(context, `read ${what}`, cause);
  }
  return new SnapshotCorruptError(what, {
    reason: PARTS[name],
    expected: "a file",
    actual: `something else (${code})`,
    cause,
  });
}

/** Another process may have removed the snapshot, or may be removing it. */
async function explainMissing(
  context: StoreContext,
  id: string,
  name: PartName,
  cause: unknown,
): Promise<SnapshotError> {
  const what = `${name} of snapshot ${id}`;
  await waitForRemoval(context, id);
  if (await isThere(context, id, name)) {
    return new SnapshotUnreadableError(
      `Cannot read ${what}: the file was missing and is there now, so another ` +
        "process is changing the snapshot; try again",
      { cause },
    );
  }
  return new SnapshotCorruptError(what, {
    reason: PARTS[name],
    expected: "a file",
    actual: "nothing",
    cause,
  });
}

/** A regular file on a failing disk can give the same codes. */
async function isFile(
  context: StoreContext,
  id: string,
  name: PartName,
): Promise<boolean> {
  try {
    const path = `${context.path}/${id}/${name}`;
    return (await context.fileSystem.stat(path)).kind === "file";
  } catch {
    // An entry that can't be examined is not known to be damaged.
    return true;
  }
}

/** Opens `state.bin` of a snapshot, checked to be of the right length. */
export async function openState(
  context: StoreContext,
  meta: SnapshotMeta,
): Promise<FileHandle> {
  const { fileSystem, looking, path } = context;
  try {
    const file = await looking.run(() =>
      fileSystem.open(`${path}/${meta.id}/state.bin`, "read")
    );
    try {
      requireSize(meta, await file.stat());
      return file;
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  } catch (error) {
    throw await explain(context, meta.id, "state.bin", error);
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
