/**
 * The repository's files, as the tests of its layout see them.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { repository } from "../support/repository.ts";

/** A text file, by its path from the repository's root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The text of one file. */
export async function readSource(path: string): Promise<string> {
  return await readFile(new URL(path, repository), "utf8");
}

/** The files of a folder, and of those in it, whose paths match. */
export async function sourceFiles(
  folder: string,
  ending: string | RegExp,
): Promise<SourceFile[]> {
  const isWanted = (path: string) =>
    typeof ending === "string" ? path.endsWith(ending) : ending.test(path);
  const entries = await readdir(new URL(`${folder}/`, repository), {
    withFileTypes: true,
  });
  const found = await Promise.all(entries.map(async (entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return await sourceFiles(path, ending);
    if (!isWanted(path)) return [];
    return [{ path, text: await readSource(path) }];
  }));
  return found.flat();
}

/**
 * A source without its comments, and with its lines where they were. It takes
 * `//` in a string for a comment, unless it follows a colon as in a URL.
 */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/(?<!:)\/\/.*$/gm, "");
}
