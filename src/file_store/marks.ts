/**
 * Directories that can't be renamed, because they come from the lower layer of
 * an overlayfs (an image's): there `rename` is refused with `EXDEV`. A snapshot
 * in one is taken out of the store by an empty file in it, whose name says what
 * became of it.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import { sideBySide } from "../fs/side_by_side.ts";
import type { StoreContext } from "./context.ts";
import { exists, withHeld } from "../fs/io.ts";
import { temporaryName } from "../snapshot/id.ts";

/** The name of such a file, which is the state that it stands for. */
export type Mark = "deleted" | "corrupt";

/** How many snapshots are looked into side by side. */
const CONCURRENCY = 16;

/**
 * Takes a published snapshot out of the store: by giving its directory another
 * name, or where that can't be done by a mark; whether it was renamed. Neither
 * is durable yet.
 */
export async function renameOrMark(
  context: StoreContext,
  { id, state }: { readonly id: string; readonly state: Mark },
): Promise<boolean> {
  const { fileSystem, marks, path } = context;
  try {
    const to = temporaryName({ id, state });
    await fileSystem.rename(`${path}/${id}`, `${path}/${to}`);
    marks.delete(id);
    return true;
  } catch (error) {
    if (systemCode(error) !== "EXDEV") throw error;
  }
  // Should this fail it may be there or not: the next look will tell.
  marks.delete(id);
  await withHeld(
    context,
    `${path}/${id}`,
    (held) => mark(context, held, state),
  );
  marks.set(id, state);
  return false;
}

/** Puts a mark into a directory; it may be there already. */
export async function mark(
  { fileSystem, fileMode }: StoreContext,
  directory: string,
  state: Mark,
): Promise<void> {
  try {
    const path = `${directory}/${state}`;
    await (await fileSystem.open(path, "create", fileMode)).close();
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** Those of the published snapshots that are marked, and how. */
export async function readMarks(
  context: StoreContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Mark>> {
  const found = new Map<string, Mark>();
  const look = async (id: string) => {
    const mark = await readMark(context, id);
    if (mark !== "none") found.set(id, mark);
  };
  await sideBySide(ids, CONCURRENCY, look);
  return found;
}

/**
 * What a directory with a snapshot's name is marked as. An empty one is what is
 * left of a deletion that was cut off before its last step: nothing is lost with
 * it.
 */
export async function readMark(
  context: StoreContext,
  id: string,
): Promise<Mark | "none"> {
  const { marks, readOnly } = context;
  const known = marks.get(id);
  if (known !== undefined) return known;
  let found: Mark | "none" | "empty";
  try {
    found = await lookForMark(context, `${context.path}/${id}`);
  } catch {
    // Reading the snapshot will show the same failure, and say so.
    return "none";
  }
  // A person may be about to copy a snapshot into an empty directory.
  if (!readOnly && found !== "empty") marks.set(id, found);
  return found === "empty" ? "deleted" : found;
}

async function lookForMark(
  { fileSystem }: StoreContext,
  path: string,
): Promise<Mark | "none" | "empty"> {
  const [isWhole, isDeleted, isCorrupt] = await Promise.all([
    exists(fileSystem, `${path}/meta.json`),
    exists(fileSystem, `${path}/deleted`),
    exists(fileSystem, `${path}/corrupt`),
  ]);
  if (isDeleted) return "deleted";
  if (isCorrupt) return "corrupt";
  if (isWhole || !await exists(fileSystem, path)) return "none";
  const entries = await fileSystem.readDirectory(path);
  return entries.length === 0 ? "empty" : "none";
}
