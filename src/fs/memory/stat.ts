/**
 * The `FileStat` of files in memory.
 *
 * @module
 */

import type { FileStat } from "../file_system.ts";
import type { MemoryNode } from "./directory.ts";

/** The identity of each node. */
const identities = new WeakMap<MemoryNode, string>();
let nodes = 0;

function identityOf(node: MemoryNode): string {
  const known = identities.get(node) ?? `${++nodes}`;
  identities.set(node, known);
  return known;
}

/** The state of a file or directory in memory, which keeps no times. */
export function statOf(node: MemoryNode): FileStat {
  const size = node.kind === "file" ? node.size : 0;
  return { kind: node.kind, size, modifiedMs: 0, identity: identityOf(node) };
}
