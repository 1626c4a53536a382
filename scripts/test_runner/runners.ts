/**
 * The runtimes that the suite runs on, and how each is told to run it.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "../support/command.ts";
import { root } from "../support/repository.ts";
import { coverageFlags } from "./coverage.ts";
import { bunExecutable, nodeExecutable } from "./executables.ts";
import { parseJUnit } from "./junit.ts";
import type { Result, TestCase } from "./outcome.ts";

/** A runtime that can run the suite. */
export interface Runner {
  /** Its name for `--only`. */
  readonly id: string;
  /** Its name in messages. */
  readonly name: string;
  /** Whether it runs the installed package, not the sources. */
  readonly onPackage: boolean;
  /** Whether the outermost suites in its JUnit file are files. */
  readonly fileSuites: boolean;
  /** The lines of its output that sum up. */
  readonly summary: RegExp;
  /** Where it is. */
  executable(): Promise<string>;
  /**
   * The arguments that make it run those files, write the JUnit file, and record
   * the lines that it reaches.
   */
  args(files: readonly string[], junit: string, coverage?: string): string[];
}

function node(major: number): Runner {
  return {
    id: `node${major}`,
    name: `Node ${major}`,
    onPackage: true,
    fileSuites: false,
    summary: /^ℹ (tests|pass|fail|cancelled|skipped|todo) \d+$/,
    executable: () => nodeExecutable(major),
    args: (files, junit) => [
      "--test",
      "--enable-source-maps",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${junit}`,
      ...files,
    ],
  };
}

/** All of them. */
export const runners: readonly Runner[] = [
  {
    id: "deno",
    name: "Deno",
    onPackage: false,
    fileSuites: true,
    summary: /^(ok|FAILED) \| \d+ passed/,
    executable: () => Promise.resolve(Deno.execPath()),
    // The types have been checked by then.
    args: (files, junit, coverage) => [
      "test",
      "--allow-all",
      "--no-check",
      ...(coverage === undefined ? [] : coverageFlags(coverage)),
      `--junit-path=${junit}`,
      ...files,
    ],
  },
  node(20),
  node(24),
  {
    id: "bun",
    name: "Bun",
    onPackage: true,
    fileSuites: true,
    summary: /^\s*(\d+ (pass|fail|skip|todo)|Ran \d+ tests.*)$/,
    executable: bunExecutable,
    // Only this runtime has a default limit of five seconds a test; the suite
    // has a limit of its own, and some tests take as long in a full run.
    args: (files, junit) => [
      "test",
      `--timeout=${60 * 60_000}`,
      "--reporter=junit",
      `--reporter-outfile=${junit}`,
      ...files,
    ],
  },
];

/** The files to run, and where. */
export interface SuiteOptions {
  /** The project that uses the package; the reports are written there. */
  readonly consumer: string;
  /** The test files, as `.ts` paths from the repository's root. */
  readonly files: readonly string[];
  /** Makes the same random tests in every runtime. */
  readonly seed: number;
  /** Where the report is written. @default {the consumer} */
  readonly reports?: string;
  /** Where to record the lines that the tests reach, if wanted; Deno only. */
  readonly coverage?: string;
  /** Variables for the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** The time limit, if it differs from the usual one. */
  readonly timeoutMinutes?: number;
}

/**
 * The tests that ran; none when the runtime crashed before it wrote the report.
 */
async function readReport(
  path: string,
  fileSuites: boolean,
): Promise<TestCase[]> {
  try {
    return parseJUnit(await Deno.readTextFile(path), fileSuites);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The output that helps when something failed. */
function withoutPassed(output: string): string {
  return output.split("\n")
    .filter((line) =>
      !/\.\.\. ok \(|^\s*✔ |^\(pass\) |^tests\/\S+:$|^$/.test(line)
    )
    .join("\n");
}

/** Runs the suite on one runtime. */
export async function runSuite(
  runner: Runner,
  options: SuiteOptions,
): Promise<Result> {
  const { consumer, files, seed, timeoutMinutes } = options;
  const { reports = consumer, env = {}, coverage } = options;
  const share = runner.onPackage ? { SAMPLE_SHARE: "0.25" } : {};
  const executable = await runner.executable();
  const report = join(reports, `${runner.id}.junit.xml`);
  const paths = files.map((path) =>
    `./${runner.onPackage ? path.replace(/\.ts$/, ".js") : path}`
  );
  const args = runner.args(paths, report, coverage);
  const { ok, output } = await run(executable, args, {
    cwd: runner.onPackage ? consumer : root,
    env: {
      ...share,
      ...env,
      SEED: String(seed),
      RAFT_SNAPSHOTS_REPOSITORY: root,
    },
    ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }),
  });
  const tests = await readReport(report, runner.fileSuites);
  const summary = output.split("\n").filter((line) =>
    runner.summary.test(line)
  );
  if (tests.length === 0 || summary.length === 0) {
    const problem = "It ran no test, or did not say so.";
    return { ok: false, output: `${output}\n${problem}`, tests };
  }
  const gist = summary.map((line) => line.trim()).join(", ");
  return { ok, output: ok ? gist : withoutPassed(output), tests };
}
