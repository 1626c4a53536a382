/**
 * Removes a snapshot whose directory can't be renamed. A power cut or a kill
 * leaves it whole, marked as deleted, empty, or gone; see docs/durability.md.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { sideBySide } from "../../fs/side_by_side.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";

/** How many of its files are removed at a time. */
const REMOVALS_MAX = 16;

/** The codes for a directory that is not empty. */
const NOT_EMPTY = new Set(["ENOTEMPTY", "EEXIST"]);

/**
 * Removes a snapshot that is marked as deleted, or an empty directory. Takes
 * all steps again where an earlier attempt was interrupted. Resolves to
 * `"gone"`, with nothing removed, when the directory has files but no mark,
 * because a snapshot was put into it.
 */
export async function removeMarked(
  directory: Directory,
  marks: Marks,
  id: string,
): Promise<"removed" | "gone"> {
  const path = directory.at(id);
  try {
    if (!await isRemovedEmpty(directory, path)) {
      const remove = (held: string) =>
        removeFilesIfMarked(directory, marks, { id, held });
      if (!await directory.hold(id, remove)) return "gone";
      // The mark, and the directory.
      await directory.fileSystem.removeTree(path);
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  } finally {
    marks.forget(id);
  }
  marks.noteRemoved(id);
  return "removed";
}

/** Removes the directory if it is empty; whether it was. */
async function isRemovedEmpty(
  { fileSystem }: Directory,
  path: string,
): Promise<boolean> {
  try {
    await fileSystem.removeDirectory(path);
    return true;
  } catch (error) {
    if (NOT_EMPTY.has(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** Removes all but the mark; whether there was one. */
async function removeFilesIfMarked(
  directory: Directory,
  marks: Marks,
  { id, held }: { readonly id: string; readonly held: string },
): Promise<boolean> {
  // The directory may have been empty a moment ago, and another program may be
  // copying a snapshot into it: only a mark proves that these files are to be
  // removed.
  if (!await marks.isToBeRemoved(id, held)) return false;
  await marks.markDeleted(held);
  // Survives: a power cut while the files below go away. Without it the mark
  // could be missing from a directory that has lost its files, also where a
  // killed process had made the mark.
  await directory.sync(held);
  const entries = await directory.fileSystem.readDirectory(held);
  const names = entries.map(({ name }) => name);
  // Durable, because of a power cut while the others go away. Otherwise Go,
  // which does not know the mark, could find a meta.json and no state.
  await removeDurably(directory, held, names.filter(isMeta));
  // Durable, because of a power cut after the mark is gone. Otherwise a file
  // could be back in a directory that is not marked as deleted any more.
  await removeDurably(directory, held, names.filter(isNeitherMetaNorMark));
  return true;
}

function isMeta(name: string): boolean {
  return name === "meta.json";
}

function isNeitherMetaNorMark(name: string): boolean {
  return !isMeta(name) && name !== "deleted";
}

/**
 * Removes files of a directory, if any, so that no power cut brings them back.
 */
async function removeDurably(
  directory: Directory,
  held: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await sideBySide(
    names,
    REMOVALS_MAX,
    (name) => directory.fileSystem.removeTree(`${held}/${name}`),
  );
  // The callers say which crash it survives.
  await directory.sync(held);
}
