/**
 * What the names in `snapshots/` say.
 *
 * @module
 */

import { placeError } from "../../backend/errors.ts";
import { compareNewestFirst, parseId } from "../../snapshot/id.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";

/** A directory that is not a published snapshot, and what became of it. */
export interface TemporaryName {
  /** The snapshot that it was to be, or was. */
  readonly id: string;
  /**
   * Whether it is being written, being deleted, getting its block checksums, or
   * in quarantine because it is corrupt.
   */
  readonly state: "writing" | "deleted" | "sealing" | "corrupt";
  /**
   * Whether the directory still has the name of a published snapshot, and says
   * by a marker in it what became of it, because it can't be renamed.
   */
  readonly inPlace?: true;
}

/** The name of a snapshot's directory while it is not published. */
export function temporaryName({ id, state, inPlace }: TemporaryName): string {
  if (inPlace) return id;
  return state === "writing" ? `${id}.tmp` : `${id}.${state}.tmp`;
}

/** What a name ending in `.tmp` says, or `undefined` when it is not ours. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const match = /^([\d-]+)(?:\.(deleted|sealing|corrupt))?\.tmp$/.exec(name);
  const id = match?.[1];
  if (id === undefined || parseId(id) === undefined) return undefined;
  const state = match?.[2] as TemporaryName["state"] | undefined;
  return { id, state: state ?? "writing" };
}

/** What the directory's names say, with no file opened yet. */
export interface DirectoryNames {
  /** Published snapshots, newest first; their content is not looked at. */
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
    const ours = parseTemporaryName(name);
    if (kind === "directory" && parseId(name) !== undefined) ids.push(name);
    else if (kind === "directory" && ours !== undefined) temporary.push(ours);
    else if (!LOCK_FILE.test(name)) foreign.push(name);
  }
  const marked = await marks.readAll(ids);
  for (const [id, state] of marked) {
    temporary.push({ id, state, inPlace: true });
  }
  ids.sort(compareNewestFirst);
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
