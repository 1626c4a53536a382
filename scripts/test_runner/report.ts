/**
 * Says how a test run went.
 *
 * @module
 */

import type { Outcome, TestStatus } from "./outcome.ts";

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

/** Where, and why, a test did not pass. */
interface Note {
  readonly runners: string[];
  reason?: string;
}

/** The tests of that status, each with all the runners that say so. */
function notes(
  outcomes: readonly Outcome[],
  status: TestStatus,
): Map<string, Note> {
  const found = new Map<string, Note>();
  for (const { name: runner, tests = [] } of outcomes) {
    for (const test of tests.filter((test) => test.status === status)) {
      const note = found.get(test.name) ?? { runners: [] };
      note.runners.push(runner);
      // Node alone passes a reason on.
      if (test.reason !== undefined) note.reason = test.reason;
      found.set(test.name, note);
    }
  }
  return found;
}

/**
 * Sums up; the last line is the sum of all runners.
 *
 * @returns Whether all is well.
 */
export function reportAll(outcomes: readonly Outcome[]): boolean {
  console.log();
  for (const [test, { runners, reason }] of notes(outcomes, "skipped")) {
    const why = reason === undefined ? "" : ` (${reason})`;
    console.log(`Skipped on ${runners.join(", ")}: ${test}${why}`);
  }
  for (const [test, { runners }] of notes(outcomes, "failed")) {
    console.log(`Failed on ${runners.join(", ")}: ${test}`);
  }
  for (const { name } of outcomes.filter(({ ok }) => !ok)) {
    console.log(`Failed: ${name}`);
  }
  console.log(counts(outcomes));
  return outcomes.every(({ ok }) => ok);
}
