/**
 * Says how a test run went.
 *
 * @module
 */

import type { Outcome, TestCase, TestStatus } from "./outcome.ts";

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, "    ");
}

function count(outcome: Outcome, status: TestStatus): number {
  const tests = outcome.tests ?? [];
  const found = tests.filter((test) => test.status === status).length;
  // A check that fails, or a runner that falls over, counts as one test.
  return status === "failed" && !outcome.ok ? Math.max(found, 1) : found;
}

function counts(outcomes: readonly Outcome[]): string {
  const sum = (status: TestStatus) =>
    outcomes.reduce((total, outcome) => total + count(outcome, status), 0);
  return `${sum("passed")} passed, ${sum("failed")} failed, ` +
    `${sum("skipped")} skipped`;
}

/** Shows one step as soon as it has ended. */
export function reportStep(outcome: Outcome): void {
  const { name, ok, seconds, tests, output } = outcome;
  const result = tests === undefined ? "" : `: ${counts([outcome])}`;
  const mark = ok ? "ok    " : "FAILED";
  console.log(`${mark} ${name}${result} (${seconds.toFixed(1)} s)`);
  if (output.trim() !== "") console.log(indented(output));
}

/** Node alone passes the reason on; it holds for the others too. */
function reasons(outcomes: readonly Outcome[]): Map<string, string> {
  const known = new Map<string, string>();
  for (const { name, reason } of outcomes.flatMap(({ tests = [] }) => tests)) {
    if (reason !== undefined) known.set(name, reason);
  }
  return known;
}

function listTests(
  outcomes: readonly Outcome[],
  status: TestStatus,
  line: (runner: string, test: TestCase) => string,
): void {
  for (const { name, tests = [] } of outcomes) {
    for (const test of tests.filter((test) => test.status === status)) {
      console.log(line(name, test));
    }
  }
}

/**
 * Sums up; the last line is the sum of all runners.
 *
 * @returns Whether all is well.
 */
export function reportAll(outcomes: readonly Outcome[]): boolean {
  const why = reasons(outcomes);
  console.log();
  listTests(outcomes, "skipped", (runner, { name }) => {
    const reason = why.get(name);
    return `Skipped on ${runner}: ${name}${reason ? ` (${reason})` : ""}`;
  });
  listTests(
    outcomes,
    "failed",
    (runner, { name }) => `Failed on ${runner}: ${name}`,
  );
  for (const { name } of outcomes.filter(({ ok }) => !ok)) {
    console.log(`Failed: ${name}`);
  }
  console.log(counts(outcomes));
  return outcomes.every(({ ok }) => ok);
}
