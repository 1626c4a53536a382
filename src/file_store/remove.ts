/**
 * Removing things so that a crash leaves either the whole of a snapshot or a
 * `.tmp`, never a published snapshot with something missing.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import { describe } from "../text.ts";
import { type StoreContext, syncDirectory } from "./context.ts";
import { parseId, temporaryName } from "../snapshot/id.ts";
import { renameOrMark } from "./marks.ts";
import { removeMarked } from "./remove_marked.ts";

/**
 * Removes published snapshots. Readers that have them open are not disturbed.
 *
 * It resolves to the failures, by ID, once the others are gone for good. What
 * is left of them under temporary names is removed as far as possible, now or
 * at the next reap.
 */
export async function removeSnapshots(
  context: StoreContext,
  ids: readonly string[],
): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  const doomed: string[] = [];
  for (const id of ids) {
    try {
      doomed.push(await renameToDeleted(context, id));
    } catch (error) {
      failures.set(id, error);
    }
  }
  if (doomed.length === 0) return failures;
  // Survives: a power cut while the files below go away. Without it an old name
  // could come back on a directory that has lost its state.
  await syncDirectory(context, context.path);
  for (const name of doomed) await removeTemporary(context, name);
  return failures;
}

/** How systems say that there is something else of that name. */
const NAME_TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM"]);

/** Gives it the name, or the marker, of one that is deleted; gives its name. */
async function renameToDeleted(
  context: StoreContext,
  id: string,
): Promise<string> {
  const name = temporaryName({ id, state: "deleted" });
  // Should this fail half-way, or what follows, the next reap goes on with it.
  context.leftovers.add(name);
  const isRenamed = await renameOnto(context, id, name);
  context.verdicts.delete(id);
  if (isRenamed) return name;
  context.leftovers.delete(name);
  context.leftovers.add(id);
  // Survives: a power cut after this call has resolved. Without it the mark
  // could be gone, and the snapshot be back.
  await syncDirectory(context, `${context.path}/${id}`);
  return id;
}

/** Removes what an earlier deletion has left, where it is in the way. */
async function renameOnto(
  context: StoreContext,
  id: string,
  name: string,
): Promise<boolean> {
  try {
    return await renameOrMark(context, { id, state: "deleted" });
  } catch (error) {
    if (!NAME_TAKEN.has(systemCode(error) ?? "")) throw error;
    await context.fileSystem.removeTree(`${context.path}/${name}`);
    return await renameOrMark(context, { id, state: "deleted" });
  }
}

/**
 * Removes a `.tmp`, or a directory that is marked as deleted; whether all of it
 * is gone. A failure is reported once, and
 * later reaps try again.
 *
 * @param name its name below `snapshots/`
 */
export async function removeTemporary(
  context: StoreContext,
  name: string,
): Promise<boolean> {
  const { fileSystem, leftovers, logger, path, reportedLeftovers } = context;
  try {
    if (parseId(name) !== undefined) await removeMarked(context, name);
    else await fileSystem.removeTree(`${path}/${name}`);
    leftovers.delete(name);
    reportedLeftovers.delete(name);
    return true;
  } catch (error) {
    leftovers.add(name);
    const message = `Cannot remove ${path}/${name}: ${describe(error)}; ` +
      "later reaps and openings try again";
    if (reportedLeftovers.has(name)) logger.debug(message);
    else logger.warn(message);
    reportedLeftovers.add(name);
    return false;
  }
}
