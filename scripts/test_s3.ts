/**
 * `deno task test:s3`: the tests of object storage against a real server, on
 * every runtime, with connections that are kept alive and with one connection
 * for each request. Every fault of the network is tried, and 4 GiB are moved.
 *
 * `--runtimes=deno,node20` runs some runtimes. `--sample` tries some faults only,
 * and repeats only the tests of connections with one connection each.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Gateway, hasGateway, startGateway } from "./s3/gateway.ts";
import { filesIn } from "./support/repository.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";
import { makeConsumer } from "./test_runner/consumer.ts";
import { reportAll } from "./test_runner/report.ts";
import { type Runner, runners, runSuite } from "./test_runner/runners.ts";
import { runSteps, type Step } from "./test_runner/steps.ts";

const FOLDER = "tests/s3/";

/** The tests to which the connections make no difference. */
const NOT_ABOUT_CONNECTIONS = ["faults", "kills", "listing", "memory"]
  .map((name) => `${FOLDER}${name}.test.ts`);

const TIMEOUT_MINUTES = 60;

/** A server, and the files to run on it. */
interface TestBed {
  readonly gateway: Gateway;
  readonly name: string;
  /** Where the package is installed, and reports are written. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly install: () => Promise<void>;
}

function stepFor(bed: TestBed, runner: Runner, isFull: boolean): Step {
  const { gateway, folder, files } = bed;
  const run = async () => {
    if (runner.onPackage) await bed.install();
    return await runSuite(runner, {
      consumer: join(folder, "consumer"),
      reports: await Deno.makeTempDir({ dir: folder }),
      files,
      seed: Date.now() % 2 ** 32,
      timeoutMinutes: TIMEOUT_MINUTES,
      env: {
        S3_TEST_ENDPOINT: gateway.endpoint,
        ...(isFull ? { FULL_RUN: "1" } : {}),
      },
    });
  };
  return { name: `${runner.name}, ${bed.name}`, run };
}

async function runAll(
  chosen: readonly Runner[],
  isSample: boolean,
): Promise<boolean> {
  await using temporary = await temporaryFolder();
  const folder = temporary.path;
  let installed: Promise<void> | undefined;
  const install = () => installed ??= installIn(join(folder, "consumer"));
  const files = (await filesIn("tests")).filter((path) =>
    path.endsWith(".test.ts") && path.startsWith(FOLDER)
  );
  const aboutConnections = isSample
    ? files.filter((path) => !NOT_ABOUT_CONNECTIONS.includes(path))
    : files;
  const start = async (name: string, keepAlive: boolean) => {
    const own = await Deno.makeTempDir({ dir: folder });
    return { name, gateway: await startGateway(own, { keepAlive }) };
  };
  const kept = await start("connections kept alive", true);
  await using _kept = kept.gateway;
  const fresh = await start("a connection each", false);
  await using _fresh = fresh.gateway;
  const rest = { folder, install };
  return reportAll(
    await runSteps([
      ...chosen.map((runner) => {
        return stepFor({ ...kept, ...rest, files }, runner, !isSample);
      }),
      ...chosen.map((runner) => {
        const stage = { ...fresh, ...rest, files: aboutConnections };
        return stepFor(stage, runner, false);
      }),
    ]),
  );
}

async function installIn(consumer: string): Promise<void> {
  await Deno.mkdir(consumer);
  await makeConsumer(consumer);
}

const { values } = parseArgs({
  args: Deno.args,
  options: { runtimes: { type: "string" }, sample: { type: "boolean" } },
});
const ids = values.runtimes?.split(",") ?? runners.map(({ id }) => id);
const unknown = ids.find((id) => !runners.some((runner) => runner.id === id));
if (unknown !== undefined) {
  throw new RangeError(`Cannot run on ${unknown}: it is not known`);
}
if (!await hasGateway()) {
  console.error(
    "Cannot test object storage: there is no go on the PATH, and VERSITYGW " +
      "names no server",
  );
  Deno.exit(1);
}
const chosen = runners.filter(({ id }) => ids.includes(id));
const ok = await runAll(chosen, values.sample ?? false);
Deno.exit(ok ? 0 : 1);
