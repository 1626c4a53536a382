/**
 * Whether all runtimes ran the same tests.
 *
 * @module
 */

import type { Outcome, Result } from "./outcome.ts";

/** How many differences to name. */
const SHOWN_MAX = 10;

/** How often each name occurs. */
function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** The names that `some` has more often than `others`. */
function surplus(some: readonly string[], others: readonly string[]): string[] {
  const there = tally(others);
  return [...tally(some)]
    .filter(([name, count]) => count > (there.get(name) ?? 0))
    .map(([name]) => name);
}

/** The tests that are there, skipped or not. */
function listed({ tests = [] }: Outcome): string[] {
  return tests.map(({ name }) => name);
}

function ran({ tests = [] }: Outcome): string[] {
  return tests
    .filter(({ status }) => status !== "skipped")
    .map(({ name }) => name);
}

function list(what: string, missing: readonly string[]): string[] {
  const shown = missing.slice(0, SHOWN_MAX).map((name) => `  ${name}`);
  const more = missing.length - shown.length;
  if (more > 0) shown.push(`  and ${more} more`);
  return missing.length === 0 ? [] : [what, ...shown];
}

/**
 * Compares the runners' tests, name by name: a test that one of them passes over
 * in silence is not a test. (A group that all of them skip is listed by
 * some and not by others; none claims that it passed.)
 */
export function compareRuns(runs: readonly Outcome[]): Result {
  const [first, ...others] = runs;
  const differences = first === undefined ? [] : others.flatMap((other) => [
    ...list(
      `Only on ${first.name}, not on ${other.name}:`,
      surplus(ran(first), listed(other)),
    ),
    ...list(
      `Only on ${other.name}, not on ${first.name}:`,
      surplus(ran(other), listed(first)),
    ),
  ]);
  return { ok: differences.length === 0, output: differences.join("\n") };
}
