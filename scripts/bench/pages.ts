/**
 * The pages and pictures in docs/ that are made from the figures in
 * docs/benchmarks.json.
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "../support/command.ts";
import { root } from "../support/repository.ts";
import { toSvg } from "./plot.ts";
import { toMarkdown } from "./report.ts";
import { toSummarySvg } from "./summary_plot.ts";
import type { Table } from "./table.ts";

const docs = join(root, "docs");

/** The tables that were measured and written last. */
export async function readTables(): Promise<Table[]> {
  return JSON.parse(await Deno.readTextFile(join(docs, "benchmarks.json")));
}

/** The name and the content of each file. */
export function toFiles(tables: readonly Table[]): [string, string][] {
  return [
    ["benchmarks.json", `${JSON.stringify(tables, null, 2)}\n`],
    ["benchmarks.svg", toSvg(tables)],
    ["read_and_write.svg", toSummarySvg(tables)],
    ["benchmarks.md", toMarkdown(tables)],
  ];
}

/** Writes the files, formatted like everything else in docs/. */
export async function writeFiles(
  files: readonly [string, string][],
): Promise<void> {
  for (const [name, content] of files) {
    await Deno.writeTextFile(join(docs, name), content);
  }
  await mustRun(Deno.execPath(), ["fmt", "--quiet", docs]);
  console.log(`\nWritten to docs/: ${files.map(([name]) => name).join(", ")}`);
}
