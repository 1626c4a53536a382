/**
 * Which source imports which.
 *
 * @module
 */

import { type SourceFile, withoutComments } from "./source_files.ts";

/** The imports of each file, by its path from the repository's root. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The imports of the files from each other, those of types included. */
export function importGraph(files: readonly SourceFile[]): ImportGraph {
  return new Map(files.map((file) => [file.path, importsOf(file)]));
}

function importsOf({ path, text }: SourceFile): string[] {
  const relative =
    /\b(?:from\s+|import\s+|import\(\s*)["'](\.{1,2}\/[^"']+)["']/g;
  return [...withoutComments(text).matchAll(relative)].map(([, target = ""]) =>
    new URL(target, `file:///${path}`).pathname.slice(1)
  );
}

/** The files on a way from a file back to itself; empty when there is none. */
export function findCycle(graph: ImportGraph): readonly string[] {
  const isDone = new Set<string>();
  const visit = (path: string, way: readonly string[]): readonly string[] => {
    const start = way.indexOf(path);
    if (start >= 0) return [...way.slice(start), path];
    if (isDone.has(path)) return [];
    for (const target of graph.get(path) ?? []) {
      const cycle = visit(target, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    isDone.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
