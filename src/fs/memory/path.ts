/**
 * Paths of the file system in memory.
 *
 * @module
 */

import { fileUrlOf } from "../file_url.ts";

function textOf(path: string | URL): string {
  const url = fileUrlOf(path);
  return url === undefined ? String(path) : decodeURIComponent(url.pathname);
}

/** The names that a path leads through, from the root on. */
export function pathNames(path: string | URL): string[] {
  const names: string[] = [];
  for (const name of textOf(path).split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}
