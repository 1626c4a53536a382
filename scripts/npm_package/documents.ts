/**
 * The documents in the package: those that its README leads to.
 *
 * @module
 */

import { dirname, join, posix } from "node:path";
import { filesIn, root } from "../support/repository.ts";

/** Folders that go into the package. */
const FOLDERS = ["docs", "examples"];

/** Data that only the sources need. */
const isLeftOut = (path: string) => path.endsWith(".json");

/** A link of Markdown to a file: its text, the path, and the part after `#`. */
const LINK = /(?<!!)\[([^\]]*)\]\((?!\w+:|#)([^)#\s]+)(#[^)]*)?\)/g;

/** A block of code, in which nothing is a link. */
const CODE = /(^```[\s\S]*?^```$)/m;

/** Copies the documents, and makes plain text of links that lead out. */
export async function addDocuments(folder: string): Promise<void> {
  const files = (await Promise.all(FOLDERS.map(filesIn))).flat()
    .filter((path) => !isLeftOut(path));
  for (const path of files) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.copyFile(join(root, path), join(folder, path));
  }
  const documents = files.filter((path) => path.endsWith(".md"));
  for (const path of ["README.md", "CHANGELOG.md", ...documents]) {
    await unlink(folder, path);
  }
}

async function unlink(folder: string, path: string): Promise<void> {
  const text = await Deno.readTextFile(join(folder, path));
  const parts = text.split(CODE).map((part) =>
    part.startsWith("```") ? part : unlinkProse(folder, path, part)
  );
  const whole = (await Promise.all(parts)).join("");
  await Deno.writeTextFile(join(folder, path), whole);
}

async function unlinkProse(
  folder: string,
  path: string,
  prose: string,
): Promise<string> {
  let text = prose;
  for (const [link, label = "", target = ""] of prose.matchAll(LINK)) {
    const leadsTo = posix.join(posix.dirname(path), target);
    if (!await isThere(join(folder, leadsTo))) {
      text = text.replaceAll(link, label);
    }
  }
  return text;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
