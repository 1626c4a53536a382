/**
 * HashiCorp Raft's own test suite, run on Go's store and on ours.
 *
 * @module
 */

import { join } from "node:path";
import type { Result } from "../test_runner/outcome.ts";
import type { Runner } from "../test_runner/runners.ts";
import { listTests, runTests } from "./go_test.ts";
import { copyModule, findModule, replaceStore } from "./raft_module.ts";
import {
  type Comparison,
  namesOf,
  type Results,
  runBeside,
  runRepeatedly,
} from "./repeated.ts";
import { type ServerEnd, startServer } from "./store_server.ts";

/** How much of a failed test's output is shown, in characters. */
const OUTPUT_SHOWN = 4_000;

/** The suite, ready to run in a temporary folder. */
export interface RaftSuite {
  /** The version of the module. */
  readonly version: string;
  /** Runs it on Go's own store. */
  runOnGo(): Promise<Results>;
  /**
   * Runs it on our store, and compares the results with those on Go's; the
   * package is installed in the folder `consumer`, unless Deno runs the sources.
   */
  runOnOurs(
    runner: Runner,
    consumer: string,
    baseline: Promise<Results>,
  ): Promise<Result>;
}

/** Copies the module into the folder twice, and puts our store into one. */
export async function makeRaftSuite(folder: string): Promise<RaftSuite> {
  const module = await findModule();
  const [theirs, ours] = [join(folder, "theirs"), join(folder, "ours")];
  for (const copy of [theirs, ours]) await copyModule(module, copy);
  await replaceStore(ours);
  // Raft's tests leave directories behind; these go with the folder.
  const temporary = { TMPDIR: join(folder, "tmp") };
  await Deno.mkdir(temporary.TMPDIR);
  const names = await listTests(theirs);
  const onGo = (some: readonly string[]) => runTests(theirs, some, temporary);
  const runOnOurs = async (
    runner: Runner,
    consumer: string,
    baseline: Promise<Results>,
  ): Promise<Result> => {
    const socket = join(folder, `${runner.id}.sock`);
    const server = await startServer(runner, consumer, socket);
    let ended: ServerEnd | undefined;
    let comparison: Comparison;
    try {
      const env = { ...temporary, RAFT_SNAPSHOTS_SOCKET: socket };
      comparison = await runBeside(baseline, names, {
        ours: (some) => runTests(ours, some, env),
        theirs: onGo,
      });
    } finally {
      ended = await server.end();
    }
    return resultOf(comparison, ended);
  };
  return {
    version: module.version,
    runOnGo: () =>
      runRepeatedly(names, (some) => runTests(theirs, some, temporary)),
    runOnOurs,
  };
}

/** The figures, with the names of the tests that did not simply pass. */
export function summarize(results: Results): string {
  const flaky = namesOf(results, "flaky");
  const passed = namesOf(results, "passed").length + flaky.length;
  const again = flaky.length === 0
    ? ""
    : ` (when run again: ${flaky.join(", ")})`;
  const failed = namesOf(results, "failed");
  const which = failed.length === 0 ? "" : ` (${failed.join(", ")})`;
  const skipped = namesOf(results, "skipped").length;
  return `${passed} of ${results.size} passed${again}, ` +
    `${failed.length} failed${which}, ${skipped} skipped`;
}

function resultOf(
  { results, failures }: Comparison,
  server: ServerEnd,
): Result {
  const shown = failures.map((name) =>
    `${name} passes with Go's store and fails with ours:\n` +
    `${results.get(name)?.output.slice(-OUTPUT_SHOWN)}`
  );
  const conclusion = failures.length === 0
    ? ["None fails with our store alone"]
    : shown;
  const ok = failures.length === 0 && server.ok;
  const complaints = ok ? [] : [`The store's server says:\n${server.output}`];
  const output = [summarize(results), ...conclusion, ...complaints].join("\n");
  return { ok, output };
}
