/**
 * `deno task release 1.2.3` makes a release of the branch main: it writes the
 * version wherever it stands, dates the changelog, commits, and makes the tag
 * `v1.2.3`. Pushing the tag publishes (.github/workflows/release.yml).
 * CONTRIBUTING.md has the checklist.
 *
 * @module
 */

import { join } from "node:path";
import { repositoryUrl } from "./npm_package/manifest.ts";
import { mustRun } from "./support/command.ts";
import { config, root } from "./support/repository.ts";

/** Where the version stands, and how. */
const PLACES:
  readonly (readonly [path: string, (version: string) => string])[] = [
    ["deno.json", (version) => `"version": "${version}"`],
    ["src/cli/version.ts", (version) => `VERSION = "${version}"`],
    ["README.md", (version) => `raft-snapshots-${version}.tgz`],
    ["README.md", (version) => `jsr:@raft/snapshots@^${version}`],
  ];

function git(...args: readonly string[]): Promise<string> {
  return mustRun("git", args, { cwd: root });
}

/** @throws {Error} when there is something that a release must not contain. */
async function requireReady(version: string | undefined): Promise<string> {
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error("Cannot release: expected a version such as 1.2.3");
  }
  if (repositoryUrl === undefined) {
    throw new Error(
      "Cannot release: provenance needs repositoryUrl in " +
        "scripts/npm_package/manifest.ts",
    );
  }
  const branch = (await git("branch", "--show-current")).trim();
  if (branch !== "main") {
    throw new Error(`Cannot release: on ${branch}, expected main`);
  }
  const changed = await git("status", "--porcelain");
  if (changed !== "") {
    throw new Error(`Cannot release: there are changes\n${changed}`);
  }
  return version;
}

async function replace(
  path: string,
  from: string,
  to: string,
): Promise<void> {
  const text = await Deno.readTextFile(join(root, path));
  if (!text.includes(from)) {
    throw new Error(`Cannot release: ${path} does not contain ${from}`);
  }
  await Deno.writeTextFile(join(root, path), text.replaceAll(from, to));
}

const version = await requireReady(Deno.args[0]);
const today = new Date().toISOString().slice(0, 10);
await replace(
  "CHANGELOG.md",
  `## ${config.version} (unreleased)`,
  `## ${version} (${today})`,
);
for (const [path, textOf] of PLACES) {
  await replace(path, textOf(config.version), textOf(version));
}
await git("commit", "--all", "--message", `Release ${version}`);
await git("tag", "--annotate", `v${version}`, "--message", version);
console.log(`Made v${version}; git push --follow-tags publishes it`);
