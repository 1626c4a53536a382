/**
 * The contents of `snapshots/`, by the names alone.
 *
 * @module
 */

import { placeError } from "../../backend/errors.ts";
import { compareNewestFirst, parseId } from "../../snapshot/id.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { parseTemporaryName, type TemporaryName } from "./names.ts";

/** The names in the directory, sorted by kind; no file was opened. */
export interface DirectoryNames {
  /** Published snapshots, in any order; their files are not read. */
  readonly ids: readonly string[];
  /** Directories that are not published, newest first. */
  readonly temporary: readonly TemporaryName[];
  /** Everything else that the store did not put there. */
  readonly foreign: readonly string[];
}

/** Names of files that the lock puts beside the snapshots. */
const LOCK_FILE = /^\.lock/;

/**
 * Reads the names in `snapshots/`.
 *
 * @throws {StoreAccessError} when the directory can't be read.
 */
export async function readNames(
  directory: Directory,
  marks: Marks,
): Promise<DirectoryNames> {
  const ids: string[] = [];
  const temporary: TemporaryName[] = [];
  const foreign: string[] = [];
  for (const { name, kind } of await readEntries(directory)) {
    const isDirectory = kind === "directory";
    if (isDirectory && parseId(name) !== undefined) {
      ids.push(name);
      continue;
    }
    const ours = isDirectory ? parseTemporaryName(name) : undefined;
    if (ours !== undefined) temporary.push(ours);
    else if (!LOCK_FILE.test(name)) foreign.push(name);
  }
  const marked = await marks.readAll(ids);
  for (const [id, state] of marked) {
    temporary.push({ id, state, inPlace: true });
  }
  temporary.sort((a, b) => compareNewestFirst(a.id, b.id));
  return { ids: ids.filter((id) => !marked.has(id)), temporary, foreign };
}

async function readEntries({ fileSystem, path }: Directory) {
  try {
    return await fileSystem.readDirectory(path);
  } catch (error) {
    throw placeError(`read ${path}`, error);
  }
}
