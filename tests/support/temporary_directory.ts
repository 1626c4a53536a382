/**
 * Directories that a test may fill and need not clear up.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** The part of `node:test`'s context that is used here. */
interface TestEnd {
  after(remove: () => Promise<void>): void;
}

const left = new Set<string>();

/** A directory that a test has made read-only must go as well. */
const everything = { recursive: true, force: true, maxRetries: 3 } as const;

function removeLeft(): void {
  for (const path of left) rmSync(path, everything);
  left.clear();
}

// Node and Bun emit "exit", `deno test` only dispatches "unload".
process.on("exit", removeLeft);
globalThis.addEventListener?.("unload", removeLeft);

/**
 * Makes an empty directory, and removes it with all that is in it: when the
 * test `t` ends, or else when the process does. (Deno takes `t.after()` and
 * never calls it, so there it is always the latter.)
 *
 * @returns Its absolute path, free of symbolic links.
 */
export async function temporaryDirectory(t?: TestEnd): Promise<string> {
  const path = await mkdtemp(
    join(await realpath(tmpdir()), "raft-snapshots-"),
  );
  left.add(path);
  t?.after(async () => {
    await rm(path, everything);
    left.delete(path);
  });
  return path;
}
