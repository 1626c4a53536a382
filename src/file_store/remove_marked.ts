/**
 * Removing a snapshot whose directory can't be renamed. A power cut or a kill
 * leaves it whole, marked as deleted, empty, or gone; see docs/durability.md.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import { sideBySide } from "../fs/side_by_side.ts";
import { type StoreContext, syncDirectory } from "./context.ts";
import { withHeld } from "../fs/io.ts";
import { mark } from "./marks.ts";

/** How many of its files are removed at a time. */
const REMOVALS_MAX = 16;

/**
 * Removes a snapshot that is marked as deleted, or is to be. It begins from the
 * beginning, also where an earlier attempt has been cut off.
 */
export async function removeMarked(
  context: StoreContext,
  id: string,
): Promise<void> {
  const { fileSystem, marks } = context;
  const path = `${context.path}/${id}`;
  try {
    if (await isRemovedEmpty(context, path)) return;
    await withHeld(context, path, (held) => removeFiles(context, held));
    // The mark, and the directory.
    await fileSystem.removeTree(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  } finally {
    marks.delete(id);
  }
}

/** Whether there was nothing in it, so that it is gone now. */
async function isRemovedEmpty(
  { fileSystem }: StoreContext,
  path: string,
): Promise<boolean> {
  try {
    await fileSystem.removeDirectory(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    // Whatever stands in the way will show below.
    return false;
  }
}

/** Removes all but the mark. */
async function removeFiles(
  context: StoreContext,
  held: string,
): Promise<void> {
  const { fileSystem } = context;
  await mark(context, held, "deleted");
  // Survives: a power cut while the files below go away. Without it the mark
  // could be missing from a directory that has lost its files.
  await syncDirectory(context, held);
  await fileSystem.removeTree(`${held}/meta.json`);
  // Survives: the same. Without it Go, which does not know the mark, could find
  // a snapshot that has a meta.json and no state.
  await syncDirectory(context, held);
  const entries = await fileSystem.readDirectory(held);
  const others = entries.filter(({ name }) => name !== "deleted");
  await sideBySide(
    others,
    REMOVALS_MAX,
    ({ name }) => fileSystem.removeTree(`${held}/${name}`),
  );
  // Survives: a power cut after the mark is gone. Without it a file could be
  // back in a directory that is not marked any more.
  await syncDirectory(context, held);
}
