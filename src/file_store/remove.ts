/**
 * Removing things so that a crash leaves either the whole of a snapshot or a
 * `.tmp`, never a published snapshot with something missing.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import type { FileSystem } from "../fs/file_system.ts";
import { describe } from "../text.ts";
import { allSettled, type StoreContext, syncDirectory } from "./context.ts";
import { temporaryName } from "./ids.ts";

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
  const renamed: string[] = [];
  for (const id of ids) {
    try {
      await renameToDeleted(context, id);
      renamed.push(id);
    } catch (error) {
      failures.set(id, error);
    }
  }
  if (renamed.length === 0) return failures;
  // Survives: a power cut while the files below go away. Without it an old name
  // could come back on a directory that has lost its state.
  await syncDirectory(context, context.path);
  for (const id of renamed) await removeTemporary(context, nameOfDeleted(id));
  return failures;
}

function nameOfDeleted(id: string): string {
  return temporaryName({ id, state: "deleted" });
}

/** How systems say that there is something else of that name. */
const NAME_TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM"]);

async function renameToDeleted(
  context: StoreContext,
  id: string,
): Promise<void> {
  const from = `${context.path}/${id}`;
  const to = `${context.path}/${nameOfDeleted(id)}`;
  // Should this fail half-way, or what follows, the next reap goes on with it.
  context.leftovers.add(nameOfDeleted(id));
  try {
    await context.fileSystem.rename(from, to);
  } catch (error) {
    if (!NAME_TAKEN.has(systemCode(error) ?? "")) throw error;
    // What is left of an earlier deletion is in the way.
    await removeTree(context.fileSystem, to);
    await context.fileSystem.rename(from, to);
  }
  context.verdicts.delete(id);
}

/** Removes a `.tmp`; one that won't go is reported and kept for later. */
export async function removeTemporary(
  context: StoreContext,
  name: string,
): Promise<void> {
  try {
    await removeTree(context.fileSystem, `${context.path}/${name}`);
    context.leftovers.delete(name);
  } catch (error) {
    context.leftovers.add(name);
    context.logger.warn(
      `Cannot remove ${context.path}/${name}: ${describe(error)}; ` +
        "the next reap tries again",
    );
  }
}

/**
 * Removes a directory with all that is in it, or whatever else has that name.
 * What is missing already is no error.
 */
async function removeTree(fs: FileSystem, path: string): Promise<void> {
  try {
    // It may be a link: what that leads to is not ours to remove.
    const { kind } = await fs.stat(path);
    if (kind === "directory") await removeDirectoryTree(fs, path);
    else await fs.removeFile(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

async function removeDirectoryTree(
  fs: FileSystem,
  path: string,
): Promise<void> {
  const entries = await fs.readDirectory(path);
  await allSettled(entries.map(({ name, kind }) => {
    const inner = `${path}/${name}`;
    return kind === "directory"
      ? removeDirectoryTree(fs, inner)
      : ignoreMissing(fs.removeFile(inner));
  }));
  await fs.removeDirectory(path);
}

async function ignoreMissing(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
