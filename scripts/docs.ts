/**
 * `deno task docs` writes the reference of all exports as HTML to `api/`.
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "./support/command.ts";
import { config, entries, root } from "./support/repository.ts";

/** Writes the reference to a folder; resolves to the path of its first page. */
export async function writeDocs(folder: string): Promise<string> {
  const flags = ["--html", `--name=${config.name}`, `--output=${folder}`];
  // The command line exports nothing.
  const documented = entries.filter((path) => path !== config.exports["./cli"]);
  await mustRun(Deno.execPath(), ["doc", ...flags, ...documented], {
    cwd: root,
  });
  return join(folder, "index.html");
}

if (import.meta.main) {
  console.log(`Wrote ${await writeDocs(join(root, "api"))}`);
}
