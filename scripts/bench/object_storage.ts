/**
 * Moves a state to a real S3 server and back with the store, on each runtime, and
 * with boto3, in turns:
 *
 *     deno run -A scripts/bench/object_storage.ts [MiB] [rounds]
 *
 * `PYTHON` names a Python that has boto3. The ratios are those of one run; the
 * store also computes and checks a CRC-64, and boto3 checks a CRC-32.
 *
 * @module
 */

import { join } from "node:path";
import { startGateway } from "../s3/gateway.ts";
import { mustRun } from "../support/command.ts";
import { root } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { makeConsumer } from "../test_runner/consumer.ts";
import { runners } from "../test_runner/runners.ts";
import { median } from "./median.ts";

const [sizeMiB = "1024", rounds = "3"] = Deno.args;

/** The time and the memory that one transfer took. */
interface Measure {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

type Direction = "put" | "get";

/** Something that moves states. */
interface Mover {
  readonly name: string;
  command(what: Direction): readonly string[];
  readonly cwd: string;
}

const SCRIPT = "tests/s3/transfer";

async function movers(folder: string, endpoint: string): Promise<Mover[]> {
  const consumer = join(folder, "consumer");
  await Deno.mkdir(consumer);
  await makeConsumer(consumer);
  const ours = runners.map(async (runner): Promise<Mover> => {
    const executable = await runner.executable();
    const before = runner.onPackage
      ? [executable, `${SCRIPT}.js`]
      : [executable, "run", "-A", "--no-check", `${SCRIPT}.ts`];
    const location = `s3://bucket/${runner.id}`;
    return {
      name: runner.name,
      cwd: runner.onPackage ? consumer : root,
      command: (what) => [...before, what, location, sizeMiB],
    };
  });
  const python = Deno.env.get("PYTHON") ?? "python3";
  const script = join(root, "scripts/bench/boto3_transfer.py");
  return [...await Promise.all(ours), {
    name: "boto3",
    cwd: root,
    command: (what) => [python, script, what, endpoint, "boto3", sizeMiB],
  }];
}

async function measure(
  mover: Mover,
  what: Direction,
  endpoint: string,
): Promise<Measure> {
  const [program = "", ...args] = mover.command(what);
  const start = performance.now();
  const output = await mustRun(program, args, {
    cwd: mover.cwd,
    env: { S3_TEST_ENDPOINT: endpoint },
  });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, ...JSON.parse(output) };
}

await using folder = await temporaryFolder();
await using gateway = await startGateway(folder.path, { keepAlive: true });
const { endpoint } = gateway;
console.log(`${sizeMiB} MiB, the median of ${rounds}`);
const all = await movers(folder.path, endpoint);
const measures = new Map<string, Measure[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const what of ["put", "get"] as const) {
    for (const mover of all) {
      const key = `${mover.name} ${what}`;
      const taken = await measure(mover, what, endpoint);
      measures.set(key, [...measures.get(key) ?? [], taken]);
    }
  }
}
for (const what of ["put", "get"] as const) {
  const of = (name: string, field: keyof Measure) =>
    median((measures.get(`${name} ${what}`) ?? []).map((each) => each[field]));
  for (const { name } of all) {
    const [seconds, cpuMs] = [of(name, "seconds"), of(name, "cpuMs")];
    const perGiB = cpuMs / 1000 / (Number(sizeMiB) / 1024);
    console.log(
      `${what} ${name.padEnd(8)} ${seconds.toFixed(2).padStart(7)} s, ` +
        `${(seconds / of("boto3", "seconds")).toFixed(2)} of boto3; ` +
        `${perGiB.toFixed(2)} s of CPU a GiB, ` +
        `${(cpuMs / of("boto3", "cpuMs")).toFixed(2)} of boto3; ` +
        `${of(name, "peakMiB").toFixed(0)} MiB at most`,
    );
  }
}
