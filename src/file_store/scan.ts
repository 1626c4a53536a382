/**
 * Looking into the `snapshots/` directory: which snapshots are there, and which
 * of them can be used (`getSnapshots` and `readMeta` in Go's
 * `file_snapshot.go`). Nothing that a directory may contain is an error here.
 *
 * @module
 */

import {
  type CorruptionReason,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";
import type { FileHandle } from "../fs/file_system.ts";
import { decodeMeta, META_SIZE_MAX } from "../meta/decode.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import { describe, type StoreContext, toSnapshotError } from "./context.ts";
import { readFully, withFile } from "./files.ts";
import {
  compareNewestFirst,
  parseId,
  parseTemporaryName,
  type TemporaryName,
} from "./ids.ts";

/** What the directory's names say, with no file opened yet. */
export interface DirectoryNames {
  /** Published snapshots, newest first; their content is not looked at. */
  readonly ids: readonly string[];
  /** Directories that are not published, newest first. */
  readonly temporary: readonly TemporaryName[];
  /** Everything else that the store did not put there. */
  readonly foreign: readonly string[];
}

/** What came of looking at one published snapshot. */
export type ScannedSnapshot =
  | { readonly id: string; readonly meta: SnapshotMeta }
  | { readonly id: string; readonly error: Error };

/** How many snapshots are looked at side by side. */
const CONCURRENCY = 16;

/** Names of files that the lock puts beside the snapshots. */
const LOCK_FILE = /^\.lock/;

/** Reads the names in `snapshots/`. */
export async function readNames(
  context: StoreContext,
): Promise<DirectoryNames> {
  const ids: string[] = [];
  const temporary: TemporaryName[] = [];
  const foreign: string[] = [];
  for (const { name, kind } of await readEntries(context)) {
    const ours = parseTemporaryName(name);
    if (kind === "directory" && parseId(name) !== undefined) ids.push(name);
    else if (kind === "directory" && ours !== undefined) temporary.push(ours);
    else if (!LOCK_FILE.test(name)) foreign.push(name);
  }
  ids.sort(compareNewestFirst);
  temporary.sort((a, b) => compareNewestFirst(a.id, b.id));
  return { ids, temporary, foreign };
}

async function readEntries(context: StoreContext) {
  try {
    return await context.fileSystem.readDirectory(context.path);
  } catch (error) {
    throw toSnapshotError(`read ${context.path}`, error);
  }
}

/** Looks at every published snapshot, newest first, a few at a time. */
export async function scan(
  context: StoreContext,
  ids: readonly string[],
): Promise<ScannedSnapshot[]> {
  const results = new Array<ScannedSnapshot>(ids.length);
  let next = 0;
  const work = async () => {
    while (next < ids.length) {
      const i = next++;
      results[i] = await look(context, ids[i] as string);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results;
}

async function look(
  context: StoreContext,
  id: string,
): Promise<ScannedSnapshot> {
  try {
    const meta = await readMeta(context, id);
    await checkSize(context, meta);
    return { id, meta };
  } catch (error) {
    return { id, error: toSnapshotError(`read snapshot ${id}`, error) };
  }
}

/** The usable snapshots, newest first; each that is passed over is reported. */
export async function listUsable(
  context: StoreContext,
): Promise<SnapshotMeta[]> {
  const { ids, temporary, foreign } = await readNames(context);
  for (const name of foreign) {
    context.logger.warn(`Skipping ${context.path}/${name}: not a snapshot`);
  }
  for (const { id, state } of temporary) {
    context.logger.debug(`Skipping snapshot ${id}: ${state}`);
  }
  const usable: SnapshotMeta[] = [];
  for (const result of await scan(context, ids)) {
    if ("meta" in result) usable.push(result.meta);
    else {
      context.logger.warn(
        `Skipping snapshot ${result.id}: ${describe(result.error)}`,
      );
    }
  }
  return usable;
}

/**
 * Reads and checks the metadata of a published snapshot. `id` must have passed
 * the grammar.
 *
 * @throws {SnapshotNotFoundError} when there is no such snapshot.
 * @throws {SnapshotCorruptError} when its metadata can't be trusted.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 */
export async function readMeta(
  context: StoreContext,
  id: string,
): Promise<SnapshotMeta> {
  const what = `meta.json of snapshot ${id}`;
  const bytes = await readMetaBytes(context, id, what);
  const { version, crc, ...rest } = decodeMeta(bytes, what);
  if (version !== 0 && version !== 1) {
    throw new UnsupportedSnapshotVersionError(
      `Cannot use snapshot ${id}: found version ${version}, expected 0 or 1`,
    );
  }
  // A copied or renamed directory must not pass for the one it was made from.
  if (rest.id !== id) throw corrupt(what, `the ID ${id}`, rest.id.slice(0, 80));
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
  return { version, crc, ...rest };
}

async function readMetaBytes(
  context: StoreContext,
  id: string,
  what: string,
): Promise<Uint8Array> {
  await requireDirectory(context, id);
  const meta = await openPart(context, id, "meta.json", "meta");
  return await withFile(meta, async (file) => {
    const { size } = await file.stat();
    if (size > META_SIZE_MAX) {
      throw corrupt(what, `at most ${META_SIZE_MAX} bytes`, size);
    }
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  });
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
  name: string,
  reason: CorruptionReason,
): Promise<FileHandle> {
  try {
    return await context.fileSystem.open(
      `${context.path}/${id}/${name}`,
      "read",
    );
  } catch (cause) {
    const code = systemCode(cause) ?? "";
    const what = `${name} of snapshot ${id}`;
    if (!NO_SUCH_FILE.has(code)) throw toSnapshotError(`open ${what}`, cause);
    throw new SnapshotCorruptError(what, {
      reason,
      expected: "a file",
      actual: code === "ENOENT" ? "nothing" : `something else (${code})`,
      cause,
    });
  }
}

/** Opens `state.bin` of a snapshot, checked to be of the right length. */
export async function openState(
  context: StoreContext,
  meta: SnapshotMeta,
): Promise<FileHandle> {
  const file = await openPart(context, meta.id, "state.bin", "size");
  try {
    const { size } = await file.stat();
    if (size === meta.size) return file;
    throw new SnapshotCorruptError(`state.bin of snapshot ${meta.id}`, {
      reason: "size",
      expected: meta.size,
      actual: size,
    });
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/** A look from outside: a missing or cut off `state.bin` is found early. */
async function checkSize(
  context: StoreContext,
  meta: SnapshotMeta,
): Promise<void> {
  const file = await openState(context, meta);
  await file.close();
}

function corrupt(
  what: string,
  expected: string,
  actual: string | number,
): SnapshotCorruptError {
  return new SnapshotCorruptError(what, { reason: "meta", expected, actual });
}
