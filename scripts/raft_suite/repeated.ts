/**
 * Runs tests, and those again that fail: Raft's tests wait for elections with
 * deadlines, which a loaded machine does not always meet.
 *
 * @module
 */

import type { TestStatus } from "../test_runner/outcome.ts";
import type { GoTest } from "./go_test.ts";

/** How often a test that fails is run again. */
export const RERUNS_MAX = 4;

/** The result of a test: a flaky one has failed first and passed later. */
export interface TestResult {
  readonly status: TestStatus | "flaky";
  /** Its output of the last time. */
  readonly output: string;
}

/** The results of a run, by the names of the tests. */
export type Results = ReadonlyMap<string, TestResult>;

/** Runs the named tests once. */
export type RunTests = (
  names: readonly string[],
) => Promise<Map<string, GoTest>>;

/** Our store's results, and Go's for the tests that failed. */
export interface Comparison {
  readonly results: Results;
  /** The tests that fail with our store, and never failed with Go's. */
  readonly failures: readonly string[];
}

/** Runs the tests, and up to {@linkcode RERUNS_MAX} times those that fail. */
export async function runRepeatedly(
  names: readonly string[],
  runTests: RunTests,
): Promise<Results> {
  const results = new Map<string, TestResult>(await runTests(names));
  for (let rerun = 0; rerun < RERUNS_MAX; rerun++) {
    const failing = namesOf(results, "failed");
    if (failing.length === 0) break;
    addRerun(results, await runTests(failing));
  }
  return results;
}

/**
 * Runs the tests with our store. Those that fail, but passed in the baseline,
 * are run again with both stores side by side, so that a test for which the
 * machine is too slow right now fails with both.
 */
export async function runBeside(
  baseline: Promise<Results>,
  names: readonly string[],
  { ours, theirs }: { readonly ours: RunTests; readonly theirs: RunTests },
): Promise<Comparison> {
  const results = new Map<string, TestResult>(await ours(names));
  const known = new Set(
    [...await baseline].filter(([, { status }]) => !isGood(status))
      .map(([name]) => name),
  );
  const failedOnGo = new Set<string>();
  const remaining = () =>
    [...results].filter(([name, { status }]) =>
      !isGood(status) && !known.has(name)
    ).map(([name]) => name);
  for (let rerun = 0; rerun < RERUNS_MAX; rerun++) {
    const failing = remaining();
    if (failing.length === 0) break;
    const runs = await Promise.all([ours(failing), theirs(failing)]);
    addRerun(results, runs[0]);
    for (const name of namesOf(runs[1], "failed")) failedOnGo.add(name);
  }
  const failures = remaining().filter((name) => !failedOnGo.has(name));
  return { results, failures };
}

/** The tests of that status. */
export function namesOf(
  results: Results,
  status: TestResult["status"],
): string[] {
  return [...results].filter(([, result]) => result.status === status)
    .map(([name]) => name);
}

function isGood(status: TestResult["status"]): boolean {
  return status === "passed" || status === "flaky";
}

function addRerun(
  results: Map<string, TestResult>,
  rerun: ReadonlyMap<string, GoTest>,
): void {
  for (const [name, { status, output }] of rerun) {
    results.set(name, {
      status: status === "passed" ? "flaky" : status,
      output,
    });
  }
}
