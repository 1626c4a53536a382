/**
 * Builds the npm package: `deno task build:npm` makes `npm/`, which
 * `npm publish ./npm` would publish and `npm pack ./npm` makes a tarball of.
 *
 * @module
 */

import { join } from "node:path";
import { checkPackage } from "./npm_package/check.ts";
import { addDocuments } from "./npm_package/documents.ts";
import { referToLibraries } from "./npm_package/libraries.ts";
import {
  commandLine,
  type Manifest,
  manifest,
} from "./npm_package/manifest.ts";
import { packSources } from "./npm_package/pack.ts";
import { mustRun } from "./support/command.ts";
import { root } from "./support/repository.ts";

/** Gives the command line the one first line that npm's `bin` needs. */
async function addShebang(path: string): Promise<void> {
  const code = await Deno.readTextFile(path);
  const bare = code.replace(/^(#!.*\n)+/, "");
  await Deno.writeTextFile(path, `#!/usr/bin/env node\n${bare}`);
  await Deno.chmod(path, 0o755);
}

async function writeManifest(path: string): Promise<void> {
  const packed = JSON.parse(await Deno.readTextFile(path)) as Manifest;
  const whole = manifest(packed.dependencies);
  await Deno.writeTextFile(path, JSON.stringify(whole, null, 2) + "\n");
}

/**
 * Builds the package in `folder`, which is emptied first, and checks it.
 *
 * @throws {Error} when the built package must not be published.
 */
export async function buildNpm(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await packSources(folder);
  await referToLibraries(folder);
  await addShebang(join(folder, commandLine));
  await writeManifest(join(folder, "package.json"));
  await addDocuments(folder);
  await checkPackage(folder);
}

/**
 * Makes the tarball that npm would publish.
 *
 * @returns Its path.
 */
export async function packNpm(folder: string, to: string): Promise<string> {
  const args = ["pack", "--json", `--pack-destination=${to}`];
  const packed: unknown = JSON.parse(
    await mustRun("npm", args, { cwd: folder }),
  );
  const [tarball] = packed as readonly { readonly filename: string }[];
  if (tarball === undefined) throw new Error(`Cannot pack ${folder}: no file`);
  return join(to, tarball.filename);
}

if (import.meta.main) {
  const folder = join(root, "npm");
  await buildNpm(folder);
  const tarball = await packNpm(folder, folder);
  console.log(`Built ${folder} and ${tarball}`);
}
