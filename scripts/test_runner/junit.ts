/**
 * Reads the JUnit files that `deno test`, `node --test` and `bun test` write:
 * the one form in which all three tell which tests they ran.
 *
 * @module
 */

import { SaxesParser } from "saxes";
import type { TestCase, TestStatus } from "./outcome.ts";

/** An element that is open while the file is read. */
interface OpenElement {
  readonly tag: string;
  readonly name: string;
  status: TestStatus;
  reason?: string | undefined;
}

const statusOf: Readonly<Record<string, TestStatus>> = {
  failure: "failed",
  error: "failed",
  skipped: "skipped",
};

/** Node escapes a quote twice. */
function unescaped(name: string): string {
  return name.replaceAll("&quot;", '"').replaceAll("&apos;", "'");
}

/** The names of the groups that a test is in, and its own. */
function fullName(path: readonly OpenElement[], fileSuites: boolean): string {
  const suites = path.filter(({ tag }) => tag === "testsuite");
  const groups = fileSuites ? suites.slice(1) : suites;
  const test = path.filter(({ tag }) => tag === "testcase");
  return [...groups, ...test].map(({ name }) => unescaped(name)).join(" > ");
}

/**
 * Without the groups, which Deno lists among the tests. Only a group's name is
 * the start of another's.
 */
function withoutGroups(tests: readonly TestCase[]): TestCase[] {
  const groups = new Set<string>();
  for (const { name } of tests) {
    const parts = name.split(" > ");
    for (let i = 1; i < parts.length; i++) {
      groups.add(parts.slice(0, i).join(" > "));
    }
  }
  return tests.filter(({ name }) => !groups.has(name));
}

/**
 * The tests of a JUnit file.
 *
 * @param fileSuites Whether the outermost suites are files, not groups.
 * @throws {Error} when it is not well-formed XML.
 */
export function parseJUnit(xml: string, fileSuites: boolean): TestCase[] {
  const tests: TestCase[] = [];
  const path: OpenElement[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name: tag, attributes }) => {
    const status = statusOf[tag];
    const parent = path.at(-1);
    if (status !== undefined && parent !== undefined) {
      parent.status = status;
      const message = attributes["message"];
      // Node says "true" where no reason is given.
      if (status === "skipped" && message !== "true") parent.reason = message;
    }
    path.push({ tag, name: attributes["name"] ?? "", status: "passed" });
  });
  parser.on("closetag", ({ name: tag }) => {
    const element = path.at(-1);
    if (tag === "testcase" && element !== undefined) {
      const { status, reason } = element;
      const name = fullName(path, fileSuites);
      tests.push({ name, status, ...(reason === undefined ? {} : { reason }) });
    }
    path.pop();
  });
  parser.write(xml).close();
  return withoutGroups(tests);
}
