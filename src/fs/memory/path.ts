/**
 * Paths of the file system in memory.
 *
 * @module
 */

function textOf(path: string | URL): string {
  if (!(path instanceof URL)) return path;
  if (path.protocol === "file:") return decodeURIComponent(path.pathname);
  throw new TypeError(
    `Cannot resolve ${path.href}: found ${path.protocol}, expected file:`,
  );
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
