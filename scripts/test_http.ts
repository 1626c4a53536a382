/**
 * `deno task test:http`: installs of snapshots over HTTP, between all runtimes,
 * over lines that fail: 1,000 of them, or `--installs=N`. `SEED=...` repeats a
 * run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { temporaryFolder } from "./support/temporary_folder.ts";
import { makeConsumer } from "./test_runner/consumer.ts";
import { httpPairs } from "./test_runner/http_pairs.ts";
import { reportAll } from "./test_runner/report.ts";
import { runSteps } from "./test_runner/steps.ts";

const { values } = parseArgs({
  options: { installs: { type: "string", default: "1000" } },
});
const count = Number(values.installs);
const seed = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 32);
await using folder = await temporaryFolder();
await makeConsumer(folder.path);
const outcomes = await runSteps([{
  name: `${count} installs over bad lines`,
  run: () => httpPairs({ consumer: folder.path, seed, count }),
}]);
Deno.exit(reportAll(outcomes) ? 0 : 1);
