/**
 * `deno task test:interop`: proves byte compatibility against HashiCorp Raft's
 * own code, on every runtime. It has two parts:
 *
 * - `tests`: our tests that ask a Go program. Deno's run is shown in full, because
 *   it prints counts.
 * - `raft-suite`: HashiCorp Raft's own test suite, on Go's store and on ours.
 *
 * `--only=raft-suite` runs one of them, `--runtimes=deno,node20` some runtimes.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { hasGo } from "./raft_suite/raft_module.ts";
import { makeRaftSuite, summarize } from "./raft_suite/suite.ts";
import { root } from "./support/repository.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";
import { makeConsumer } from "./test_runner/consumer.ts";
import { type Runner, runners } from "./test_runner/runners.ts";
import { runSteps } from "./test_runner/steps.ts";

const SUITES = ["tests/interop", "tests/fixtures"];

async function deno(args: readonly string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { FULL_RUN: "1" },
  });
  const { success } = await command.spawn().status;
  return success;
}

/** Runs our tests; whether all is well. */
async function runTests(runtimes: ReadonlySet<string>): Promise<boolean> {
  const onDeno = !runtimes.has("deno") ||
    await deno(["test", "--allow-all", ...SUITES]);
  const others = [...runtimes].filter((id) => id !== "deno");
  const onOthers = others.length === 0 || await deno([
    "run",
    "--allow-all",
    "scripts/test.ts",
    `--only=${others.join(",")}`,
    ...SUITES,
  ]);
  if (!onDeno) console.error("Failed on Deno: see above");
  return onDeno && onOthers;
}

/** Runs Raft's tests; whether our store passes all that Go's store passes. */
async function runRaftSuite(runtimes: ReadonlySet<string>): Promise<boolean> {
  if (!await hasGo()) {
    console.error("Cannot run HashiCorp Raft's tests: no `go` on the PATH");
    return false;
  }
  await using folder = await temporaryFolder();
  const suite = await makeRaftSuite(folder.path);
  const baseline = suite.runOnGo();
  const consumer = `${folder.path}/consumer`;
  let installed: Promise<void> | undefined;
  const onGo = async () => ({ ok: true, output: summarize(await baseline) });
  const onOurs = (runner: Runner) => async () => {
    if (runner.onPackage) await (installed ??= install(consumer));
    return await suite.runOnOurs(runner, consumer, baseline);
  };
  console.log(`The test suite of hashicorp/raft ${suite.version}`);
  const outcomes = await runSteps([
    { name: "on Go's own store", run: onGo },
    ...runners.filter(({ id }) => runtimes.has(id)).map((runner) => ({
      name: `on our store on ${runner.name}`,
      run: onOurs(runner),
    })),
  ]);
  return outcomes.every(({ ok }) => ok);
}

async function install(consumer: string): Promise<void> {
  await Deno.mkdir(consumer);
  await makeConsumer(consumer);
}

const parts: Readonly<
  Record<string, (runtimes: ReadonlySet<string>) => Promise<boolean>>
> = { "tests": runTests, "raft-suite": runRaftSuite };

/** The values of a flag, which must all be known. */
function choose(flag: string | undefined, known: readonly string[]) {
  const chosen = flag?.split(",") ?? known;
  for (const value of chosen) {
    if (known.includes(value)) continue;
    throw new RangeError(
      `Cannot run ${value}: unknown, expected some of ${known.join(", ")}`,
    );
  }
  return new Set(chosen);
}

const { values } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string" }, runtimes: { type: "string" } },
});
const only = choose(values.only, Object.keys(parts));
const runtimes = choose(values.runtimes, runners.map(({ id }) => id));
let ok = true;
for (const [name, run] of Object.entries(parts)) {
  if (only.has(name)) ok = await run(runtimes) && ok;
}
Deno.exit(ok ? 0 : 1);
