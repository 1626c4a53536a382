/**
 * The checks of the sources, before any test runs.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { mustRun, run } from "../support/command.ts";
import {
  config,
  entries,
  exists,
  filesIn,
  root,
} from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { writeDocs } from "../docs.ts";
import type { Result } from "./outcome.ts";
import { everyThrowIsDocumented } from "./throws.ts";

/** A check by its name. */
export interface Check {
  readonly name: string;
  run(): Promise<Result>;
}

/** Deno names each file that it looks at. */
function withoutFileNames(output: string): string {
  return output.split("\n")
    .filter((line) => !/^(Check|Download|running 0 tests from) /.test(line))
    .join("\n");
}

async function deno(
  args: readonly string[],
  cwd: string = root,
): Promise<Result> {
  const { ok, output } = await run(Deno.execPath(), args, { cwd });
  return { ok, output: ok ? "" : withoutFileNames(output) };
}

/** Whether JSR would accept the package; slow types are an error, too. */
async function tryToPublish(): Promise<Result> {
  const args = ["publish", "--dry-run", "--allow-dirty"];
  const { ok, output } = await run(Deno.execPath(), args, { cwd: root });
  const fine = ok && !/warning/i.test(output);
  return { ok: fine, output: fine ? "" : output };
}

/**
 * A configuration for code blocks: Deno puts an import of all that a file
 * exports before each, used or not.
 */
function documentationConfig(): string {
  const { imports, exports, compilerOptions } = config;
  const ours = Object.entries(exports).map(([name, path]) => [
    join(config.name, name),
    pathToFileURL(join(root, path)).href,
  ]);
  return JSON.stringify({
    imports: { ...imports, ...Object.fromEntries(ours) },
    compilerOptions: { ...compilerOptions, noUnusedLocals: false },
  });
}

/**
 * Runs the examples in the sources' comments, away from the sources. (Those of
 * the command line have none, and are programs.)
 */
async function documentation(): Promise<Result> {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(
    join(folder.path, "deno.json"),
    documentationConfig(),
  );
  const sources = ["mod.ts", ...await filesIn("src")]
    .filter((path) => path.endsWith(".ts") && !path.startsWith("src/cli/"))
    .map((path) => join(root, path));
  return await deno(["test", "--allow-all", "--doc", ...sources], folder.path);
}

/** The generated kernel is the one that its source gives. */
async function kernel(): Promise<Result> {
  if (!await exists("scripts/build_kernel.ts")) {
    return { ok: true, output: "There is no kernel yet." };
  }
  await mustRun(
    Deno.execPath(),
    ["run", "-A", "scripts/build_kernel.ts", "--check"],
    { cwd: root },
  );
  return { ok: true, output: "" };
}

/** The reference can be written, and names the package. */
async function reference(): Promise<Result> {
  await using folder = await temporaryFolder();
  const text = await Deno.readTextFile(await writeDocs(folder.path));
  const ok = text.includes(config.name);
  return { ok, output: ok ? "" : "The first page does not name the package" };
}

/** All checks. */
export const checks: readonly Check[] = [
  { name: "deno fmt --check", run: () => deno(["fmt", "--check"]) },
  { name: "deno lint", run: () => deno(["lint"]) },
  { name: "deno check", run: () => deno(["check"]) },
  { name: "deno doc --lint", run: () => deno(["doc", "--lint", ...entries]) },
  { name: "every @throws is there", run: everyThrowIsDocumented },
  { name: "deno task docs", run: reference },
  { name: "deno publish --dry-run", run: tryToPublish },
  { name: "examples in comments", run: documentation },
  { name: "build:kernel --check", run: kernel },
];
