/**
 * `deno task test`: every check of the sources, then the one test suite on the
 * sources with Deno, and on the npm package with Node 20, Node 24 and Bun.
 *
 * While working, `deno task test --only=deno,node20 tests/crc64` runs some of
 * it: the steps named by `--only` (`checks`, `bench`, `package`, `tools`,
 * `browser`, `locks`, `http`, `deno`, `node20`, `node24`, `bun`), and the test
 * files whose paths contain an argument. `--full` runs every test on every
 * runtime. Without file names it prints how much of the sources the tests reach
 * on Deno.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { filesIn } from "./support/repository.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";
import { benchOnSmallScale } from "./test_runner/bench.ts";
import { inBrowser } from "./test_runner/browser.ts";
import { checks } from "./test_runner/checks.ts";
import { compareRuns } from "./test_runner/compare.ts";
import { makeConsumer } from "./test_runner/consumer.ts";
import { sumUpCoverage } from "./test_runner/coverage.ts";
import { useWithTools } from "./test_runner/ecosystem.ts";
import { groupsOf, type TestGroup } from "./test_runner/groups.ts";
import { httpPairs } from "./test_runner/http_pairs.ts";
import { lockPairs } from "./test_runner/lock_pairs.ts";
import { attempt } from "./test_runner/outcome.ts";
import { usePackage } from "./test_runner/package_use.ts";
import { reportAll, reportStep } from "./test_runner/report.ts";
import { type Runner, runners, runSuite } from "./test_runner/runners.ts";
import { runSteps } from "./test_runner/steps.ts";

/** Three of each pair of runtimes, and two more. */
const INSTALLS = 50;

const ids = [
  "checks",
  "bench",
  "package",
  "tools",
  "browser",
  "locks",
  "http",
  ...runners.map(({ id }) => id),
];

/** The options of the command line. */
function readArguments(): {
  only: Set<string>;
  full: boolean;
  filters: string[];
} {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { only: { type: "string" }, full: { type: "boolean" } },
  });
  const only = new Set(values.only?.split(",") ?? ids);
  for (const id of only) {
    if (!ids.includes(id)) {
      throw new RangeError(
        `Cannot run ${id}: unknown, expected some of ${ids.join(", ")}`,
      );
    }
  }
  // A caller that names test files wants them on every runtime.
  const full = values.full ?? positionals.length > 0;
  return { only, full, filters: positionals };
}

async function testFiles(filters: readonly string[]): Promise<string[]> {
  const files = (await filesIn("tests"))
    .filter((path) => path.endsWith(".test.ts"));
  const wanted = filters.length === 0
    ? files
    : files.filter((path) => filters.some((text) => path.includes(text)));
  // Given no file, every runtime would go and look for tests by itself.
  if (wanted.length > 0) return wanted;
  throw new RangeError(`Cannot test ${filters.join(", ")}: no such test file`);
}

function nameOf(runner: Runner, { name }: TestGroup): string {
  return name === "" ? runner.name : `${runner.name}, ${name}`;
}

/** Runs the chosen steps; whether all succeed. */
async function main(): Promise<boolean> {
  const { only, full, filters } = readArguments();
  await using folder = await temporaryFolder();
  const files = await testFiles(filters);
  const seed = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 32);
  console.log(`${files.length} test files, SEED=${seed}`);

  const chosen = runners.filter(({ id }) => only.has(id));
  let consumer: Promise<string> | undefined;
  const installed = () => consumer ??= makeConsumer(folder.path);
  // A part of the tests tells nothing of the whole.
  const isMeasured = only.has("deno") && filters.length === 0;
  const coverage = join(folder.path, "coverage");
  const suite = (runner: Runner, { name, files }: TestGroup) => async () => {
    if (runner.onPackage) await installed();
    const reports = join(folder.path, "reports", name || "all");
    await Deno.mkdir(reports, { recursive: true });
    const options = {
      consumer: folder.path,
      files,
      seed,
      reports,
      ...(isMeasured ? { coverage } : {}),
    };
    return await runSuite(runner, options);
  };
  const use = async () => {
    await installed();
    return await usePackage(folder.path);
  };

  const tools = async () => {
    const tarball = await installed();
    return await useWithTools(join(folder.path, "tools"), tarball);
  };

  const browser = async () => {
    await installed();
    return await inBrowser(folder.path);
  };

  const locks = async () => {
    await installed();
    return await lockPairs(folder.path);
  };

  const http = async () => {
    await installed();
    return await httpPairs({ consumer: folder.path, seed, count: INSTALLS });
  };

  const groups = groupsOf(files);
  const suites = groups.flatMap((group) =>
    chosen.filter(({ id }) => full || !group.leftOutOn.has(id))
      .map((runner) => ({
        name: nameOf(runner, group),
        run: suite(runner, group),
      }))
  );
  const outcomes = await runSteps([
    ...(only.has("package") ? [{ name: "npm package", run: use }] : []),
    ...(only.has("tools")
      ? [{ name: "with bundlers, test runners, Yarn", run: tools }]
      : []),
    ...(only.has("browser") ? [{ name: "in a browser", run: browser }] : []),
    ...(only.has("locks")
      ? [{ name: "locks between runtimes", run: locks }]
      : []),
    ...(only.has("http") ? [{ name: "HTTP between runtimes", run: http }] : []),
    ...(only.has("checks") ? checks : []),
    ...(only.has("bench")
      ? [{ name: "benchmark, on a small scale", run: benchOnSmallScale }]
      : []),
    ...suites,
  ]);
  const same = await attempt("the same tests everywhere", () => {
    const compared = groups.map((group) => {
      const names = new Set(chosen.map((runner) => nameOf(runner, group)));
      return compareRuns(outcomes.filter(({ name }) => names.has(name)));
    });
    return Promise.resolve({
      ok: compared.every(({ ok }) => ok),
      output: compared.map(({ output }) => output).join("\n").trim(),
    });
  });
  if (chosen.length > 1) reportStep(same);
  if (!isMeasured) return reportAll([...outcomes, same]);
  const covered = await attempt(
    "the coverage of the Deno run",
    () => sumUpCoverage(coverage),
  );
  reportStep(covered);
  return reportAll([...outcomes, same, covered]);
}

Deno.exit(await main() ? 0 : 1);
