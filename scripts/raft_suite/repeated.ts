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

/** What a test came to: a flaky one has failed first and passed later. */
export interface TestResult {
  readonly status: TestStatus | "flaky";
  /** What it printed the last time. */
  readonly output: string;
}

/** Runs the named tests once. */
export type RunTests = (
  names: readonly string[],
) => Promise<Map<string, GoTest>>;

/**
 * Runs the tests, and up to {@linkcode RERUNS_MAX} times again those that fail,
 * but for those that are `known` to fail.
 */
export async function runRepeatedly(
  names: readonly string[],
  runTests: RunTests,
  known: () => Promise<readonly string[]> = () => Promise.resolve([]),
): Promise<Map<string, TestResult>> {
  const results = new Map<string, TestResult>(await runTests(names));
  const hopeless = new Set(await known());
  for (let rerun = 0; rerun < RERUNS_MAX; rerun++) {
    const failing = namesOf(results, "failed")
      .filter((name) => !hopeless.has(name));
    if (failing.length === 0) break;
    for (const [name, { status, output }] of await runTests(failing)) {
      results.set(name, {
        status: status === "passed" ? "flaky" : status,
        output,
      });
    }
  }
  return results;
}

/** The tests of that status. */
export function namesOf(
  results: ReadonlyMap<string, TestResult>,
  status: TestResult["status"],
): string[] {
  return [...results].filter(([, result]) => result.status === status)
    .map(([name]) => name);
}

/**
 * The tests that our store fails: those that neither passed nor failed with
 * Go's store too.
 */
export function failuresOfOurs(
  ours: ReadonlyMap<string, TestResult>,
  baseline: ReadonlyMap<string, TestResult>,
): string[] {
  const good = new Set<string | undefined>(["passed", "flaky"]);
  return [...baseline].filter(([name, { status }]) =>
    good.has(status) && !good.has(ours.get(name)?.status)
  ).map(([name]) => name);
}
