/**
 * The imports that loading a source causes, found without loading it.
 *
 * @module
 */

import { posix } from "node:path";
import { readSource, withoutComments } from "./source_files.ts";

/** A source imports something. */
export interface Import {
  /** The source, by its path from the repository's root. */
  readonly from: string;
  /** The imported source, by such a path, or the name of another module. */
  readonly to: string;
}

const IMPORTS = [
  /^(?:import|export)\b(?!\s+type\b)[^;"'=]*?\bfrom\s*["']([^"']+)["']/gm,
  /^import\s*["']([^"']+)["']/gm,
  // Bundlers follow these as well. `typeof import()` is a type.
  /(?<!\btypeof\s+)\bimport\(\s*["'`]([^"'`]+)["'`]/g,
];

/** The imports of a source, without types: they are gone at run time. */
async function importsOf(from: string): Promise<Import[]> {
  const code = withoutComments(await readSource(from));
  const names = IMPORTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, name = ""]) => name)
  );
  return names.map((name) => ({
    from,
    to: name.startsWith(".") ? posix.join(posix.dirname(from), name) : name,
  }));
}

/** All imports that loading a source leads to. */
export async function loadedImports(entry: string): Promise<Import[]> {
  const all: Import[] = [];
  const visited = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (visited.has(path)) return;
    visited.add(path);
    for (const found of await importsOf(path)) {
      all.push(found);
      if (found.to.endsWith(".ts")) await visit(found.to);
    }
  };
  await visit(posix.normalize(entry));
  return all;
}
