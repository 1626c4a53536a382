/**
 * The libraries of TypeScript that the package's declarations need beside those
 * of the user's project.
 *
 * @module
 */

import { join } from "node:path";

/** `Symbol.asyncDispose` is in no `lib` by default, nor in the browser's. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/**
 * Lets each declaration file that needs a library say so. The sources can't: JSR
 * takes no such line, and the packer drops it.
 */
export async function referToLibraries(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) await referToLibraries(path);
    else if (name.endsWith(".d.ts")) await refer(path);
  }
}

async function refer(path: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  if (!/\[Symbol\.(async)?[Dd]ispose\]/.test(text)) return;
  await Deno.writeTextFile(path, DISPOSABLE + text);
}
