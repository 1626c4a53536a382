/**
 * Where the repository is, and the contents of its `deno.json`.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

export { config };

/** The repository's root, without a `/` at the end. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url))
  .replace(/[\\/]$/, "");

/** Where each export of the package begins, such as `./mod.ts`. */
export const entries: readonly string[] = Object.values(config.exports);

/** Whether the repository has that file or folder. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(join(root, path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * The files of a folder of the repository and of those in it, as `/`-separated
 * paths from the root, in order; none when there is no such folder.
 */
export async function filesIn(folder: string): Promise<string[]> {
  if (!await exists(folder)) return [];
  const files: string[] = [];
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isFile) files.push(path);
    if (entry.isDirectory && entry.name !== "node_modules") {
      files.push(...await filesIn(path));
    }
  }
  return files.sort();
}
