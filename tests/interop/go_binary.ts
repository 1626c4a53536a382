/**
 * Builds the Go programs of `go/` and `go_clients/`, once for all runtimes and test files.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The folder of a Go module beside this file. */
const folderOf = (name: string) =>
  fileURLToPath(new URL(`./${name}/`, import.meta.url));
const CACHE = join(tmpdir(), "raft-snapshots-interop");

/** Which of Go's two JSON packages the program is built with. */
export type JsonPackage = "v1" | "v2";

/** Where the program is, or why it could not be built. */
export type GoBinary =
  | { readonly path: string; readonly missing?: never }
  | { readonly path?: never; readonly missing: string };

/** `go` answers questions; `go_clients` has HashiCorp's HTTP clients. */
export type GoModule = "go" | "go_clients";

/**
 * Builds the program of a module, or finds it where an earlier run has left it, in the
 * system's directory for temporary files. Without Go or the Go modules that it
 * needs, the result names the missing part.
 *
 * @throws {Error} when the program can't be compiled.
 */
export async function buildGoProgram(
  json: JsonPackage,
  module: GoModule = "go",
): Promise<GoBinary> {
  const go = goTool(json, module);
  const version = await attempt(go, "version");
  if (version.output === undefined) {
    return { missing: "Cannot ask Go: found no `go` on the PATH" };
  }
  const suffix = process.platform === "win32" ? ".exe" : "";
  const hash = await hashSources(folderOf(module), version.output);
  const path = join(CACHE, `${module}-${json}-${hash}${suffix}`);
  if (existsSync(path)) return { path };
  const modules = await attempt(go, "list", "-deps", ".");
  if (modules.output === undefined) {
    return {
      missing: `Cannot ask Go: its modules are missing: ${modules.error}`,
    };
  }
  await build(go, path);
  return { path };
}

/**
 * Where Go's cache has the files of a module that the Go program is built with.
 */
export async function moduleFolder(name: string): Promise<string> {
  const folder = await goTool("v1")("list", "-m", "-f", "{{.Dir}}", name);
  return folder.trim();
}

/** Runs `go` in the module; resolves to its output. */
type GoTool = (...args: readonly string[]) => Promise<string>;

function goTool(json: JsonPackage, module: GoModule = "go"): GoTool {
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOEXPERIMENT: json === "v2" ? "jsonv2" : "nojsonv2",
    GOFLAGS: "-mod=readonly",
    GOWORK: "off",
  };
  return async (...args) => {
    const options = { cwd: folderOf(module), env };
    const { stdout } = await promisify(execFile)("go", args, options);
    return stdout;
  };
}

/** Go's output, or the reason why there is none. */
async function attempt(
  go: GoTool,
  ...args: readonly string[]
): Promise<{ output?: string; error?: unknown }> {
  try {
    return { output: await go(...args) };
  } catch (error) {
    return { error };
  }
}

async function build(go: GoTool, path: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  // Built elsewhere and moved, because another process may build it, too.
  const folder = await mkdtemp(join(CACHE, "build-"));
  try {
    const built = join(folder, basename(path));
    await go("build", "-trimpath", "-o", built, ".");
    await rename(built, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A hash of the program's sources and of the version of Go. */
async function hashSources(
  folder: string,
  goVersion: string,
): Promise<string> {
  const hash = createHash("sha256").update(goVersion);
  for (const name of (await readdir(folder)).sort()) {
    hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
