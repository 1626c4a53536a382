/**
 * Where the other runtimes are: on this machine, or else from npm.
 *
 * @module
 */

import { mustRun, run } from "../support/command.ts";

/** Whether a version that satisfies the package's `engines` is of `major`. */
function isMajor(version: string, major: number): boolean {
  const [found, minor] = version.trim().replace(/^v/, "").split(".").map(
    Number,
  );
  return found === major && (major > 20 || (minor ?? 0) >= 19);
}

async function machinesNode(): Promise<string | undefined> {
  try {
    const { stdout } = await run("node", ["--version"]);
    return stdout;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function fromNpm(specifier: string, flag: string): Promise<string> {
  const path = await mustRun("npx", [
    "--yes",
    specifier,
    flag,
    "console.log(process.execPath)",
  ]);
  return path.trim();
}

/** The path of a Node of that major version. */
export async function nodeExecutable(major: number): Promise<string> {
  const version = await machinesNode();
  if (version !== undefined && isMajor(version, major)) {
    return (await mustRun("node", ["-p", "process.execPath"])).trim();
  }
  return await fromNpm(`node@${major}`, "-e");
}

/** The path of a Bun. */
export async function bunExecutable(): Promise<string> {
  return await fromNpm("bun@1", "-e");
}
