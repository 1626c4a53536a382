/**
 * Uses the package with the tools that users have: bundlers, test runners, Yarn,
 * and two that check the exports of an npm package.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "../support/command.ts";
import { config, filesIn, root } from "../support/repository.ts";
import { nodeExecutable } from "./executables.ts";
import type { Result } from "./outcome.ts";

/** The project's sources, where the repository has them. */
const sources = "tests/npm_ecosystem";

/** A use of the package: the arguments of Node, and variables. */
interface Use {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs, below the project's folder. */
  readonly cwd?: string;
}

function usesOf(tarball: string): readonly Use[] {
  const yarn = "../node_modules/@yarnpkg/cli-dist/bin/yarn.js";
  const yarnEnv = {
    // In CI Yarn would refuse to write the lock file.
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
    YARN_ENABLE_TELEMETRY: "0",
    YARN_GLOBAL_FOLDER: "./global",
  };
  return [
    {
      name: "publint",
      args: ["node_modules/publint/src/cli.js", `node_modules/${config.name}`],
    },
    {
      name: "Are The Types Wrong",
      args: [
        "node_modules/@arethetypeswrong/cli/dist/index.js",
        tarball,
        "--profile=esm-only",
      ],
    },
    { name: "esbuild", args: ["esbuild.mjs"] },
    { name: "the bundle of esbuild", args: ["dist/esbuild.mjs"] },
    { name: "webpack", args: ["webpack.mjs"] },
    { name: "the bundle of webpack", args: ["dist/webpack.mjs"] },
    {
      name: "Vitest",
      args: ["node_modules/vitest/vitest.mjs", "run", "--globals"],
    },
    {
      name: "Jest",
      args: ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
    },
    {
      name: "Yarn's installation",
      args: [yarn, "install"],
      env: yarnEnv,
      cwd: "yarn",
    },
    {
      name: "Yarn Plug'n'Play",
      args: [yarn, "node", "use.mjs"],
      env: yarnEnv,
      cwd: "yarn",
    },
  ];
}

/** Makes the project, and one of Yarn's own in it. */
async function makeProject(folder: string, tarball: string): Promise<void> {
  await Deno.mkdir(join(folder, "yarn"), { recursive: true });
  for (const path of await filesIn(sources)) {
    const name = path.slice(sources.length + 1);
    await Deno.copyFile(join(root, path), join(folder, name));
  }
  await Deno.copyFile(
    join(folder, "use.mjs"),
    join(folder, "yarn", "use.mjs"),
  );
  const manifest = {
    name: "yarn-project",
    private: true,
    dependencies: { [config.name]: `file:${tarball}` },
  };
  await Deno.writeTextFile(
    join(folder, "yarn", "package.json"),
    JSON.stringify(manifest),
  );
  // Without it Yarn takes the project around it for its own.
  await Deno.writeTextFile(join(folder, "yarn", "yarn.lock"), "");
}

/** Installs the package and the tools, and uses it with each. */
export async function useWithTools(
  folder: string,
  tarball: string,
): Promise<Result> {
  await makeProject(folder, tarball);
  const node = await nodeExecutable(20);
  const flags = ["--no-audit", "--no-fund", "--no-package-lock"];
  const install = ["install", ...flags, tarball];
  const installed = await run("npm", install, { cwd: folder });
  if (!installed.ok) return installed;
  const uses = usesOf(tarball);
  for (const { name, args, env = {}, cwd = "." } of uses) {
    const { ok, output } = await run(node, args, {
      cwd: join(folder, cwd),
      env,
    });
    if (!ok) return { ok, output: `With ${name}:\n${output}` };
  }
  const names = uses.map(({ name }) => name).join(", ");
  return { ok: true, output: `The package works with ${names}` };
}
