/**
 * A project that uses the package as npm installs it, with the tests in it.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { buildNpm, packNpm } from "../build_npm.ts";
import { mustRun } from "../support/command.ts";
import { config, filesIn, root } from "../support/repository.ts";
import { transpile } from "./transpile.ts";

/** The folders of the tests and examples. */
const folders = ["tests", "examples"];

const isSource = (path: string) => /(?<!\.d)\.ts$/.test(path);

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
}

/** The packages of `deno.json` that the tests or examples import. */
async function testDependencies(sources: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(
    sources.map((source) => Deno.readTextFile(join(root, source))),
  );
  return Object.entries(config.imports)
    .filter(([name]) => texts.some((text) => text.includes(`from "${name}"`)))
    .map(([, specifier]) => specifier.replace(/^npm:/, ""));
}

/**
 * Builds, packs and installs the package and the tests' own dependencies;
 * resolves to the package's tarball.
 */
async function install(
  folder: string,
  dependencies: readonly string[],
): Promise<string> {
  const built = join(folder, "built");
  await buildNpm(built);
  const tarball = await packNpm(built, folder);
  await write(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  const flags = ["--no-audit", "--no-fund", "--no-package-lock"];
  await mustRun("npm", ["install", ...flags, tarball, ...dependencies], {
    cwd: folder,
  });
  return tarball;
}

/** Lets tests of internals find them in the package that was installed. */
async function linkInternals(folder: string): Promise<void> {
  const installed = join(folder, "node_modules", config.name);
  await Deno.symlink(join(installed, "src"), join(folder, "src"));
  await Deno.symlink(join(installed, "mod.js"), join(folder, "mod.js"));
}

/** The dependencies of the type check, pinned in the consumer's own project. */
async function typeCheckDependencies(): Promise<string[]> {
  const text = await Deno.readTextFile(
    join(root, "tests/npm_consumer/package.json"),
  );
  const { devDependencies } = JSON.parse(text) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return Object.entries(devDependencies).map(([name, version]) =>
    `${name}@${version}`
  );
}

/**
 * Makes the project in an empty folder: the package installed from its tarball,
 * the tests and examples as JavaScript, their other files as they are. Resolves
 * to the tarball.
 */
export async function makeConsumer(folder: string): Promise<string> {
  const files = (await Promise.all(folders.map(filesIn))).flat();
  const sources = files.filter(isSource);
  const tarball = await install(folder, [
    ...await testDependencies(sources),
    ...await typeCheckDependencies(),
  ]);
  await linkInternals(folder);
  for (const path of files) {
    if (isSource(path)) {
      const target = path.replace(/\.ts$/, ".js");
      await write(join(folder, target), await transpile(path));
    } else {
      await copy(join(root, path), join(folder, path));
    }
  }
  return tarball;
}
