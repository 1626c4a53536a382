/**
 * Runs the tests of a Go package, and reads the output of `go test -json`.
 *
 * @module
 */

import { run } from "../support/command.ts";
import type { TestStatus } from "../test_runner/outcome.ts";
import { goEnvironment } from "./raft_module.ts";

/** The result of one run of one test. */
export interface GoTest {
  readonly status: TestStatus;
  /** Its output, and that of its subtests. */
  readonly output: string;
}

/** A line that `go test -json` prints. */
interface Event {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
}

const statusOf: Readonly<Record<string, TestStatus>> = {
  pass: "passed",
  fail: "failed",
  skip: "skipped",
};

/** Go's tests end by themselves before the command is ended. */
const TIMEOUT_MINUTES = 12;

/** The names of the package's tests. */
export async function listTests(folder: string): Promise<string[]> {
  const { ok, stdout, output } = await run("go", ["test", "-list", "^Test"], {
    cwd: folder,
    env: goEnvironment,
  });
  const names = stdout.split("\n").filter((line) => /^Test\S*$/.test(line));
  if (ok && names.length > 0) return names;
  throw new Error(`Cannot list the tests in ${folder}: ${output}`);
}

/**
 * Runs the named tests of the package in a folder. A test that did not run,
 * because one before it ended the process, has failed.
 */
export async function runTests(
  folder: string,
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Map<string, GoTest>> {
  const flags = ["-count=1", "-vet=off", `-timeout=${TIMEOUT_MINUTES - 1}m`];
  const { stdout, output } = await run(
    "go",
    ["test", "-json", ...flags, `-run=^(${names.join("|")})$`, "."],
    {
      cwd: folder,
      env: { ...goEnvironment, INTEG_TESTS: "yes", ...env },
      timeoutMinutes: TIMEOUT_MINUTES,
    },
  );
  const tests = parseEvents(stdout);
  const missing = `It did not run: ${output.slice(-2_000)}`;
  return new Map(names.map((name) => [
    name,
    tests.get(name) ?? { status: "failed", output: missing },
  ]));
}

/**
 * The tests that are not part of another, by their names. One that has begun
 * and has not ended, because it ended the process, has failed.
 */
function parseEvents(lines: string): Map<string, GoTest> {
  const tests = new Map<string, GoTest>();
  for (const event of lines.split("\n").flatMap(parseEvent)) {
    const [name, subtest] = event.Test?.split("/") ?? [];
    if (name === undefined) continue;
    const known = tests.get(name) ?? { status: "failed", output: "" };
    const ended = subtest === undefined ? statusOf[event.Action] : undefined;
    tests.set(name, {
      status: ended ?? known.status,
      output: known.output + (event.Output ?? ""),
    });
  }
  return tests;
}

/** Nothing for a line that a program printed past Go's own output. */
function parseEvent(line: string): Event[] {
  try {
    return [JSON.parse(line) as Event];
  } catch {
    return [];
  }
}
