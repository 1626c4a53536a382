/**
 * `deno task bench`: measures this library on Deno, Bun and Node beside its
 * peers, in turns, and writes docs/benchmarks.md with a plot and the figures.
 * `--only=crc,read` runs some of it, and replaces these tables alone; each tells
 * where and when it was measured. `--rounds=3` makes no more rounds than that.
 * `--scale=0.1` makes everything smaller, and writes nothing; `--deno-only`
 * neither, and leaves everything out that has to be installed or built. The tests
 * run it with both. `deno task bench:redraw` only writes the pages again.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { mustRun } from "../support/command.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { prepare, prepareDeno, type Sample } from "./contestants.ts";
import { type Entry, type MeasurePlan, plan } from "./measures.ts";
import { readTables, toFiles, writeFiles } from "./pages.ts";
import { toText } from "./report.ts";
import { type Table, tabulate } from "./table.ts";
import { describeMachine } from "./machine.ts";
import { rest } from "./rest.ts";

/** A disk that costs nothing, on Linux. */
const MEMORY = "/dev/shm";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    scale: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "Infinity" },
    "deno-only": { type: "boolean", default: false },
  },
});
const scale = Number(values.scale ?? 1);
const only = values.only?.split(",");
const roundsMax = Number(values.rounds);
const isWritten = scale === 1 && !values["deno-only"];
const machine = describeMachine();

await using folder = await temporaryFolder();
console.log("Preparing the contestants ...");
const contestants = values["deno-only"]
  ? await prepareDeno()
  : await prepare(folder.path);
const hasMemory = await Deno.stat(MEMORY).then(() => true, () => false);
const allPlans = plan(contestants, scale);
const plans = allPlans
  .map((each) => ({ ...each, rounds: Math.min(each.rounds, roundsMax) }))
  .filter(({ id }) => only === undefined || only.some((o) => id.startsWith(o)))
  .filter(({ directory }) => directory !== "memory" || hasMemory);

for (const each of plans) {
  const table = { ...tabulate(each, await runRounds(each)), machine };
  console.log(`\n${toText(table)}`);
  // Also where they are not written: the tests run this on a small scale.
  const files = toFiles(await withEarlier(table));
  // After each, so that a run that is stopped has not been for nothing.
  if (isWritten) await writeFiles(files);
}

/** The tables that are there, with this one in its place. */
async function withEarlier(measured: Table): Promise<Table[]> {
  const all = [measured, ...await readTables()];
  return allPlans.map(({ id }) => all.find((table) => table.id === id))
    .filter((table) => table !== undefined);
}

/** Each round measures every contestant, so that a slow minute affects all. */
async function runRounds(
  { bytes, directory, entries, rounds }: MeasurePlan,
): Promise<{ seconds: number[]; peakBytes: number[] }[]> {
  const results = entries.map(({ rows }) =>
    rows.map(() => ({ seconds: [] as number[], peakBytes: [] as number[] }))
  );
  const isAlone = directory === "own" || directory === "memory";
  await using shared = await temporaryFolder();
  if (directory === "filled") {
    await contestants.ours[0]?.measure("write", shared.path, bytes);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, entry] of entries.entries()) {
      const samples = isAlone
        ? await runAlone(entry, directory === "memory" ? MEMORY : undefined)
        : await entry.run(shared.path);
      if (directory === "own") await rest(bytes);
      for (const [row, { seconds, peakBytes }] of samples.entries()) {
        results[i]?.[row]?.seconds.push(seconds);
        results[i]?.[row]?.peakBytes.push(peakBytes);
      }
    }
  }
  return results.flat();
}

/** Syncs the disk, so that no contestant waits for the writes of another. */
async function runAlone(
  entry: Entry,
  parent: string | undefined,
): Promise<readonly Sample[]> {
  try {
    await using own = await temporaryFolder(parent);
    return await entry.run(own.path);
  } finally {
    await mustRun("sync", []);
  }
}
