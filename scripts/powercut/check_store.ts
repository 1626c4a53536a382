/**
 * Checks the snapshots that the store finds on a disk after a power cut.
 *
 * @module
 */

import { nodeFileSystem } from "../../src/fs/node/file_system.ts";
import { archiveViolations, violations } from "../../tests/crash/invariants.ts";
import type { Expectations } from "../../tests/crash/expectations.ts";
import { BASE, recover } from "../../tests/crash/recovery.ts";

/** All paths below a directory; those of directories end with a `/`. */
async function treeOf(directory: string): Promise<string[]> {
  const paths = [`${directory}/`];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    paths.push(...(isDirectory ? await treeOf(path) : [path]));
  }
  return paths;
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The violations on the mounted disk; none when all is well. */
export async function checkStore(
  expectations: Expectations,
): Promise<string[]> {
  try {
    // A power cut can take away the name of blocks.crc64 in a `.tmp` of ours,
    // which then looks like one of Go's, and would stay for an hour.
    const found = await recover(nodeFileSystem, { foreignTmpAgeMs: 0 });
    return [
      ...violations(found, await treeOf(BASE), expectations),
      ...await archiveViolations(expectations, read),
    ];
  } catch (error) {
    return [`recovery failed: ${error}`];
  }
}
