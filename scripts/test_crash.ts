/**
 * `deno task test:crash`: the tests that otherwise take a sample, in full:
 * every power cut, every error, every bit and many inputs on Deno, and a
 * thousand kills on each runtime. It ends with the figures.
 *
 * `--only=cuts,faults` runs some of it (see `parts`); `--replay='{...}'` repeats
 * a power cut that has failed, and shows the operations that led to it.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTrace } from "../tests/crash/explore.ts";
import { type History, replay } from "../tests/crash/simulation.ts";
import { filesIn } from "./support/repository.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";
import { makeConsumer } from "./test_runner/consumer.ts";
import { reportAll } from "./test_runner/report.ts";
import { type Runner, runners, runSuite } from "./test_runner/runners.ts";
import { runSteps, type Step } from "./test_runner/steps.ts";

/** Tests that run on Deno alone, because they do not depend on the runtime. */
const parts: Readonly<Record<string, string>> = {
  cuts: "tests/crash/power_cuts.test.ts",
  later: "tests/crash/later_power_cuts.test.ts",
  syncs: "tests/crash/needed_syncs.test.ts",
  faults: "tests/faults/",
  fuzz: "tests/fuzz/",
  model: "tests/model/",
  backup: "tests/cli/backup_faults.test.ts",
};

const TIMEOUT_MINUTES = 60;

/** Adds up the tests' reports in a file, a line each. */
async function readFigures(path: string): Promise<Map<string, number>> {
  const figures = new Map<string, number>();
  for (const line of (await Deno.readTextFile(path)).split("\n")) {
    if (line === "") continue;
    const { what, count } = JSON.parse(line) as { what: string; count: number };
    figures.set(what, (figures.get(what) ?? 0) + count);
  }
  return figures;
}

async function testFiles(start: string): Promise<string[]> {
  const files = await filesIn("tests");
  return files.filter((path) =>
    path.startsWith(start) && path.endsWith(".test.ts")
  );
}

/** A step for each part, and for each runtime. */
function makeSteps(folder: string, seed: number, only: ReadonlySet<string>) {
  let consumer: Promise<string> | undefined;
  const run = async (runner: Runner, start: string) => {
    if (runner.onPackage) await (consumer ??= makeConsumer(folder));
    return await runSuite(runner, {
      consumer: folder,
      reports: await Deno.makeTempDir({ dir: folder }),
      files: await testFiles(start),
      seed,
      timeoutMinutes: TIMEOUT_MINUTES,
    });
  };
  const steps: (Step & { readonly part: string })[] = [];
  for (const runner of runners) {
    const name = `real processes on ${runner.name}`;
    steps.push({ part: "os", name, run: () => run(runner, "tests/os/") });
    if (runner.id !== "deno") continue;
    for (const [part, start] of Object.entries(parts)) {
      steps.push({ part, name: start, run: () => run(runner, start) });
    }
  }
  return steps.filter(({ part }) => only.size === 0 || only.has(part));
}

/** Runs the chosen parts; whether all succeed. */
async function runAll(only: ReadonlySet<string>): Promise<boolean> {
  await using folder = await temporaryFolder();
  const figures = join(folder.path, "figures.jsonl");
  await Deno.writeTextFile(figures, "");
  Deno.env.set("FULL_RUN", "1");
  Deno.env.set("FIGURES", figures);
  const seed = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 32);
  console.log(`SEED=${seed}`);
  const outcomes = await runSteps(makeSteps(folder.path, seed, only));
  const ok = reportAll(outcomes);
  for (const [what, count] of await readFigures(figures)) {
    console.log(`${count.toLocaleString("en").padStart(12)} ${what}`);
  }
  return ok;
}

/** Repeats a power cut; whether the store survives it this time. */
async function showReplay(history: History): Promise<boolean> {
  const { wrong, traces } = await replay(history);
  for (const [i, trace] of traces.entries()) {
    const { end } = history.processes[i] ?? {};
    console.log(`Process ${i}:\n${formatTrace(trace)}`);
    console.log(`ended by ${JSON.stringify(end)}`);
  }
  console.log(wrong.length === 0 ? "All is well." : wrong.join("\n"));
  return wrong.length === 0;
}

const { values } = parseArgs({
  options: { only: { type: "string" }, replay: { type: "string" } },
});
const ok = values.replay === undefined
  ? await runAll(new Set(values.only?.split(",")))
  : await showReplay(JSON.parse(values.replay));
Deno.exit(ok ? 0 : 1);
