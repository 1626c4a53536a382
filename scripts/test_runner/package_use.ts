/**
 * Uses the installed package as a user's project would, from TypeScript and
 * from CommonJS, starts its command, and type-checks the examples.
 *
 * @module
 */

import { join, posix } from "node:path";
import { run } from "../support/command.ts";
import { config, root } from "../support/repository.ts";
import { nodeExecutable } from "./executables.ts";
import type { Result } from "./outcome.ts";
import { checkTypes, compilerOf } from "./type_checks.ts";

/** The consumer program's sources, where the project has them. */
const program = "tests/npm_consumer";

/** The names that a program imports; the command line is started instead. */
const importable = Object.keys(config.exports)
  .filter((name) => name !== "./cli")
  .map((name) => posix.join(config.name, name));

/** CommonJS, which fails where a module waits at its top level. */
const requireAll = "process.argv.slice(1).forEach((name) => require(name))";

async function copySources(consumer: string): Promise<void> {
  for await (const { name } of Deno.readDir(join(root, program))) {
    await Deno.copyFile(
      join(root, program, name),
      join(consumer, program, name),
    );
  }
}

/** Type-checks the consumer program, and runs it on the oldest Node. */
export async function usePackage(consumer: string): Promise<Result> {
  const cwd = join(consumer, program);
  await copySources(consumer);
  const node = await nodeExecutable(20);
  const bin = join(consumer, "node_modules", ".bin");
  const compiler = compilerOf(consumer, "6.0");
  const steps = [
    [node, compiler, "--project", "."],
    [node, "built/consumer.js"],
    [node, "built/require.cjs"],
    [node, "--eval", requireAll, ...importable],
    [join(bin, "raft-snapshots"), "--version"],
  ];
  for (const [command = "", ...args] of steps) {
    const { ok, output } = await run(command, args, { cwd });
    if (!ok) {
      return { ok, output: `${[command, ...args].join(" ")}\n${output}` };
    }
  }
  const types = await checkTypes(consumer, node);
  if (!types.ok) return types;
  const output = `${config.name} loads by import and require\n${types.output}`;
  return { ok: true, output };
}
