/**
 * The files that a page of the docs shows, as modules: each block of code that
 * begins with a comment of its name.
 *
 * @module
 */

import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { repository } from "../support/repository.ts";
import { runtime } from "../support/runtime.ts";
import { readSource } from "../repository/source_files.ts";

/** The names of a page's files, and the folder that they were written to. */
export interface GuideFiles {
  /** The folder. */
  readonly folder: string;
  /** The names, in the order of the page. */
  readonly names: readonly string[];
  /** How many blocks of code have no name, and so were not written. */
  readonly unnamed: number;
  /** Loads a file as a module. */
  load<Exports>(name: string): Promise<Exports>;
}

/** Deno's flag by which a script in another folder finds the package. */
export const CONFIG_FLAG = `--config=${
  fileURLToPath(new URL("deno.json", repository))
}`;

/** Writes the JavaScript of a page into a folder, as it stands there. */
export async function writeGuideFiles(
  page: string,
  folder: string,
): Promise<GuideFiles> {
  const installed = new URL("../../node_modules", import.meta.url);
  // On Deno, deno.json names the sources.
  if (runtime.name !== "deno") {
    await symlink(fileURLToPath(installed), join(folder, "node_modules"));
  }
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const names: string[] = [];
  let unnamed = 0;
  const text = await readSource(page);
  for (const [, code = ""] of text.matchAll(/^```[jt]s\n([\s\S]*?)^```/gm)) {
    const [, name] = /^\/\/ (\w+\.js)\n/.exec(code) ?? [];
    if (name === undefined) unnamed++;
    else {
      names.push(name);
      await writeFile(join(folder, name), code);
    }
  }
  const load = (name: string) => import(pathToFileURL(join(folder, name)).href);
  return { folder, names, unnamed, load };
}
