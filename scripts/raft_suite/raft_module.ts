/**
 * Copies of the module `github.com/hashicorp/raft`, of the version that
 * `tests/interop/go/go.mod` names, for its tests to run in.
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "../support/command.ts";
import { filesIn, root } from "../support/repository.ts";

const MODULE = "github.com/hashicorp/raft";

/** Our files, which replace the module's files of the same names. */
const REPLACEMENTS = "tests/interop/raft_suite";

/** The settings that Go's commands run with, whatever the machine's are. */
export const goEnvironment: Readonly<Record<string, string>> = {
  CGO_ENABLED: "0",
  GOFLAGS: "",
  GOWORK: "off",
};

/** The module's version, and its folder in Go's cache, which is read-only. */
export interface RaftModule {
  readonly version: string;
  readonly folder: string;
}

/** Whether there is a Go on the `PATH`. */
export async function hasGo(): Promise<boolean> {
  try {
    await mustRun("go", ["version"]);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Finds the module, and downloads it first when Go's cache has not got it. */
export async function findModule(): Promise<RaftModule> {
  const go = (...args: string[]) =>
    mustRun("go", args, {
      cwd: join(root, "tests/interop/go"),
      env: goEnvironment,
    });
  const version = await go("list", "-m", "-f", "{{.Version}}", MODULE);
  const text = await go("mod", "download", "-json", MODULE);
  const { Dir } = JSON.parse(text) as { readonly Dir: string };
  return { version: version.trim(), folder: Dir };
}

/** Copies the module, tests and all, into a folder that it makes. */
export async function copyModule(
  module: RaftModule,
  target: string,
): Promise<void> {
  await copyFolder(module.folder, target);
}

/** Puts our store in the place of the module's own. */
export async function replaceStore(module: string): Promise<void> {
  const files = (await filesIn(REPLACEMENTS))
    .filter((path) => path.endsWith(".go"));
  for (const path of files) {
    const name = path.slice(REPLACEMENTS.length + 1);
    await Deno.copyFile(join(root, path), join(module, name));
  }
}

/** A copy whose files may be written, which those of Go's cache may not. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) await copyFolder(source, target);
    else await Deno.writeFile(target, await Deno.readFile(source));
  }
}
