/**
 * Type-checks the examples as projects for Node, and a program for a browser,
 * with the compilers and types that users have.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { run } from "../support/command.ts";
import { config, filesIn, root } from "../support/repository.ts";
import type { Result } from "./outcome.ts";

/** The compilers: the oldest that the types need, and the newest. */
const COMPILERS = ["5.7", "6.0"] as const;

/** How modules are found. */
const RESOLUTIONS = ["node16", "nodenext", "bundler"] as const;

/** Major versions of `@types/node`. */
const NODES = [20, 22, 24] as const;

/** How a project is set up. */
interface Setup {
  /** The version of TypeScript. */
  readonly typescript: typeof COMPILERS[number];
  readonly resolution: typeof RESOLUTIONS[number];
  /** The major version of `@types/node`; a browser's project has none. */
  readonly node: typeof NODES[number] | undefined;
  /** Whether the types of the DOM are there, as they are by default. */
  readonly dom: boolean;
}

/** All, but for the versions of `@types/node`, which take turns. */
const SETUPS: readonly Setup[] = COMPILERS.flatMap((typescript) => [
  ...RESOLUTIONS.flatMap((resolution) =>
    [true, false].map((dom) => ({ typescript, resolution, dom }))
  ).map((setup, i) => ({ ...setup, node: NODES[i % NODES.length] })),
  { typescript, resolution: "bundler", node: undefined, dom: true },
]);

/** How many compilers run side by side. */
const LANES = 2;

/** Where the projects are in the consumer's folder. */
const FOLDER = "type_checks";

/** The compiler of that version in the consumer's folder. */
export function compilerOf(
  consumer: string,
  version: Setup["typescript"],
): string {
  return join(consumer, `node_modules/typescript-${version}/bin/tsc`);
}

function nameOf({ typescript, resolution, node, dom }: Setup): string {
  const types = node === undefined ? "no types of Node" : `@types/node ${node}`;
  const lib = dom ? "DOM" : "no DOM";
  return `TypeScript ${typescript}, ${resolution}, ${types}, ${lib}`;
}

function configOf({ resolution, node, dom }: Setup): unknown {
  return {
    compilerOptions: {
      strict: true,
      target: "es2022",
      ...(dom ? {} : { lib: ["es2022"] }),
      module: resolution === "bundler" ? "esnext" : resolution,
      moduleResolution: resolution,
      allowImportingTsExtensions: true,
      skipLibCheck: false,
      noEmit: true,
      ...(node === undefined
        ? { types: [] }
        : { types: ["node"], typeRoots: [`types_${node}`] }),
    },
    ...(node === undefined
      ? { files: ["browser.ts"] }
      : { include: ["examples"] }),
  };
}

/** Copies the sources, and gives each version of Node's types a folder. */
async function makeProject(consumer: string): Promise<void> {
  const folder = join(consumer, FOLDER);
  // The demo, unlike a user's program, takes parts of the command line.
  const folders = await Promise.all(["examples", "src/cli"].map(filesIn));
  for (const path of folders.flat()) {
    const code = await Deno.readTextFile(join(root, path));
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(
      join(folder, path),
      code.replaceAll('"../../mod.ts"', `"${config.name}"`),
    );
  }
  await Deno.copyFile(
    join(root, "tests/npm_consumer/browser.ts"),
    join(folder, "browser.ts"),
  );
  for (const version of [20, 22, 24]) {
    const types = join(folder, `types_${version}`);
    await Deno.mkdir(types);
    await Deno.symlink(
      join(consumer, `node_modules/types-node-${version}`),
      join(types, "node"),
    );
  }
}

/** Compiles one project; resolves to the errors, if any. */
async function compile(
  consumer: string,
  node: string,
  [index, setup]: readonly [number, Setup],
): Promise<string | undefined> {
  const config = join(consumer, FOLDER, `tsconfig.${index}.json`);
  await Deno.writeTextFile(config, JSON.stringify(configOf(setup)));
  const compiler = compilerOf(consumer, setup.typescript);
  const { ok, output } = await run(node, [compiler, "--project", config]);
  return ok ? undefined : `With ${nameOf(setup)}:\n${output}`;
}

/** Type-checks all projects with the compilers, which run on `node`. */
export async function checkTypes(
  consumer: string,
  node: string,
): Promise<Result> {
  await makeProject(consumer);
  const problems: string[] = [];
  const left = [...SETUPS.entries()];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const problem = await compile(consumer, node, next);
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const output = problems.join("\n") ||
    `The examples type-check in ${SETUPS.length} setups`;
  return { ok: problems.length === 0, output };
}
