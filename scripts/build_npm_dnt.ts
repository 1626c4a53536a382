/**
 * A second way to build the npm package, with dnt: `deno task build:npm:dnt`
 * makes `npm/` with ES modules and CommonJS. It needs JSR, so no check or test
 * runs it; `deno task build:npm` makes the package that is tested and published.
 * docs/npm.md has the gains and the costs of this way.
 *
 * @module
 */

import { join } from "node:path";
import { addDocuments } from "./npm_package/documents.ts";
import { manifest } from "./npm_package/manifest.ts";
import { config, root } from "./support/repository.ts";

/** The parts of dnt that are used. */
interface Dnt {
  build(options: Readonly<Record<string, unknown>>): Promise<void>;
}

// Not a literal: the checks run where JSR can't be reached.
const specifier: string = "jsr:@deno/dnt@0.43.2";
const { build } = await import(specifier) as Dnt;

const outDir = join(root, "npm");

const commandLine = { name: "raft-snapshots", path: config.exports["./cli"] };

const entryPoints = Object.entries(config.exports).map(([name, path]) =>
  path === commandLine.path
    ? { kind: "bin", ...commandLine }
    : { kind: "export", name, path }
);

/** The fields that both ways have in common. */
function sharedFields(): Record<string, unknown> {
  const { name, version, description, keywords, license, engines } = manifest(
    {},
  );
  return { name, version, description, keywords, license, engines };
}

/** Everything but the command line can be imported for its names alone. */
async function writeSideEffects(): Promise<void> {
  for (const folder of ["esm", "script"]) {
    const path = join(outDir, folder, "package.json");
    const text = await Deno.readTextFile(path);
    const sideEffects = ["./src/cli/main.js"];
    await Deno.writeTextFile(
      path,
      JSON.stringify({ ...JSON.parse(text), sideEffects }, null, 2) + "\n",
    );
  }
}

await Deno.remove(outDir, { recursive: true }).catch(() => {});
await build({
  entryPoints,
  outDir,
  importMap: join(root, "deno.json"),
  // The sources ask for nothing of Deno's that Node lacks.
  shims: {},
  // Object.hasOwn is in every runtime that the package supports.
  polyfills: { objectHasOwn: false },
  typeCheck: "both",
  // The tests run on the other package.
  test: false,
  compilerOptions: {
    target: "ES2022",
    lib: ["ESNext", "DOM", "DOM.Iterable"],
  },
  package: {
    ...sharedFields(),
    devDependencies: { "@types/node": "^20.19.9" },
  },
  async postBuild() {
    for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) {
      await Deno.copyFile(join(root, name), join(outDir, name));
    }
    await addDocuments(outDir);
    await writeSideEffects();
  },
});
console.log(`Built ${outDir} with dnt`);
