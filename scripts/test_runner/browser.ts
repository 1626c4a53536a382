/**
 * The library in a browser: bundles a page from the sources and from the
 * installed package, as a user's project would, and runs it in Chromium.
 *
 * @module
 */

import { build } from "esbuild";
import { join } from "node:path";
import type { PageResult } from "../../tests/browser/page.ts";
import { mustRun } from "../support/command.ts";
import { config, root } from "../support/repository.ts";
import { nodeExecutable } from "./executables.ts";
import type { Result, TestCase } from "./outcome.ts";

/** The page, and the program that runs it. */
const folder = "tests/browser";

/** A page to bundle. */
interface Page {
  /** Its source. */
  readonly from: string;
  readonly entry: string;
  /** Other names for its imports. */
  readonly alias: Readonly<Record<string, string>>;
}

function pagesOf(consumer: string): readonly Page[] {
  const sources = Object.entries(config.exports).map(([name, path]) => [
    join(config.name, name),
    join(root, path),
  ]);
  return [
    {
      from: "the sources",
      entry: join(root, folder, "page.ts"),
      alias: Object.fromEntries(sources),
    },
    {
      from: "the npm package",
      entry: join(consumer, folder, "page.js"),
      alias: {},
    },
  ];
}

/**
 * Bundles a page, and lets nothing stay outside: a `node:` module makes it fail.
 *
 * @returns The bundle's path.
 */
async function bundle(page: Page, consumer: string): Promise<string> {
  const outfile = join(consumer, "bundles", `${page.from}.js`);
  await build({
    entryPoints: [page.entry],
    outfile,
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "page",
    alias: page.alias,
    // Where the sources find the dependencies.
    nodePaths: [join(consumer, "node_modules")],
    logLevel: "silent",
  });
  return outfile;
}

/** Installs the browser in a project of its own, and the program that uses it. */
async function installBrowser(project: string): Promise<string> {
  await Deno.mkdir(project);
  for (const name of ["package.json", "chromium.mjs"]) {
    await Deno.copyFile(join(root, folder, name), join(project, name));
  }
  const flags = ["--no-audit", "--no-fund", "--no-package-lock"];
  await mustRun("npm", ["install", ...flags], { cwd: project });
  return join(project, "chromium.mjs");
}

/** The output of the program. */
interface Printed {
  readonly version: string;
  /** Of each bundle. */
  readonly results: readonly (readonly PageResult[])[];
}

async function runBundles(
  bundles: readonly string[],
  project: string,
): Promise<Printed> {
  const program = await installBrowser(project);
  const printed = await mustRun(
    await nodeExecutable(20),
    [program, ...bundles],
    // The browser is unpacked there: two runs must not share the files.
    { cwd: project, env: { TMPDIR: project } },
  );
  return JSON.parse(printed);
}

/** Why there is no browser for this machine; `undefined` when there is one. */
function missingBrowser(): string | undefined {
  const { os, arch } = Deno.build;
  if (os === "linux" && arch === "x86_64") return undefined;
  return `npm has a Chromium for Linux on x86_64, not for ${os} on ${arch}`;
}

/** The step of the test run. */
export async function inBrowser(consumer: string): Promise<Result> {
  const pages = pagesOf(consumer);
  const bundles = await Promise.all(
    pages.map((page) => bundle(page, consumer)),
  );
  const reason = missingBrowser();
  if (reason !== undefined) {
    const name = "the page in a browser";
    const tests: TestCase[] = [{ name, status: "skipped", reason }];
    return { ok: true, output: "The page can be bundled.", tests };
  }
  const project = join(consumer, "browser");
  const { version, results } = await runBundles(bundles, project);
  const all = pages.map(({ from }, i) => reportPage(from, results[i] ?? []));
  return {
    ok: all.every(({ ok }) => ok),
    output: [version, ...all.map(({ output }) => output)].join("\n"),
    tests: all.flatMap(({ tests }) => tests),
  };
}

function reportPage(from: string, results: readonly PageResult[]) {
  const faults = results.filter(({ fault }) => fault !== undefined);
  const passed = results.length - faults.length;
  const gist = `from ${from}: ${passed} of ${results.length} checks passed`;
  const lines = faults.map(({ name, fault }) => `  ${name}: ${fault}`);
  const tests = results.map(({ name, fault }): TestCase => ({
    name: `in a browser, from ${from} > ${name}`,
    status: fault === undefined ? "passed" : "failed",
  }));
  const ok = results.length > 0 && faults.length === 0;
  return { ok, output: [gist, ...lines].join("\n"), tests };
}
