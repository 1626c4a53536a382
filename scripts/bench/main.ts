/**
 * `deno task bench`: measures this library on Deno, Bun and Node beside its
 * peers, in turns, and writes docs/benchmarks.md with a plot and the figures.
 * `--scale=0.1` makes everything smaller, `--only=crc,read` runs some of it;
 * neither then writes anything.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { prepare } from "./contestants.ts";
import { type MeasurePlan, plan } from "./measures.ts";
import { toMarkdown, toText } from "./report.ts";
import { type Table, tabulate } from "./table.ts";
import { toSvg } from "./plot.ts";
import { describeMachine } from "./machine.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { scale: { type: "string" }, only: { type: "string" } },
});
const scale = Number(values.scale ?? 1);
const only = values.only?.split(",");

await using folder = await temporaryFolder();
console.log("Installing the peers ...");
const contestants = await prepare(folder.path);
const plans = plan(contestants, scale)
  .filter(({ id }) => only === undefined || only.some((o) => id.startsWith(o)));

const tables: Table[] = [];
for (const each of plans) {
  const table = tabulate(each, await runRounds(each, folder.path));
  tables.push(table);
  console.log(`\n${toText(table)}`);
}

if (scale === 1 && only === undefined) {
  const machine = describeMachine();
  const docs = join(root, "docs");
  const figures = { machine, tables };
  const json = `${JSON.stringify(figures, null, 2)}\n`;
  await Deno.writeTextFile(join(docs, "benchmarks.json"), json);
  await Deno.writeTextFile(join(docs, "benchmarks.svg"), toSvg(tables));
  const markdown = toMarkdown(machine, tables);
  await Deno.writeTextFile(join(docs, "benchmarks.md"), markdown);
  console.log("\nWritten to docs/benchmarks.md, .json and .svg");
}

/** Everybody has a turn in each round: a slow minute hits all alike. */
async function runRounds(
  { id, entries, rounds, reads }: MeasurePlan,
  path: string,
): Promise<{ seconds: number[]; peakBytes: number[] }[]> {
  const results = entries.map(() => ({
    seconds: [] as number[],
    peakBytes: [] as number[],
  }));
  const shared = join(path, id);
  await Deno.mkdir(shared);
  const writer = contestants.ours[0];
  if (reads) {
    const bytes = plans.find((each) => each.id === id)?.bytes ?? 0;
    await writer?.measure("write", shared, bytes);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, entry] of entries.entries()) {
      const { seconds, peakBytes } = await entry.run(shared);
      results[i]?.seconds.push(seconds);
      results[i]?.peakBytes.push(peakBytes);
    }
  }
  await Deno.remove(shared, { recursive: true });
  return results;
}
