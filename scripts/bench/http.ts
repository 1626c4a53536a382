/**
 * Measures the install of a snapshot over HTTP on loopback, checked and durable,
 * on each runtime, beside `curl` and `sync` of the same URL, in turns:
 *
 *     deno run -A scripts/bench/http.ts [--mib=1024] [--rounds=5]
 *
 * The figure of an install is its speed as a part of curl's, at the median of the
 * rounds; each round measures all. The rows "without checks" are the runtime's own
 * `fetch`, written by `node:fs` to a file that is then synced.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { openFileSnapshotStore } from "../../mod.ts";
import { random } from "../../tests/support/random.ts";
import { mustRun } from "../support/command.ts";
import { root } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { TextLineStream } from "../support/text_line_stream.ts";
import { makeConsumer } from "../test_runner/consumer.ts";
import { bunExecutable, nodeExecutable } from "../test_runner/executables.ts";
import { transpile } from "../test_runner/transpile.ts";
import { median } from "./median.ts";
import { rest, warmMemory } from "./rest.ts";

const SCRIPT = "scripts/bench/http_install.ts";
const MIB = 1024 ** 2;

/** The measurement of one process. */
interface Sample {
  readonly seconds: number;
  /** Seconds of the processor, in all threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** How a runtime runs the script. */
interface Runtime {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

async function findRuntimes(consumer: string): Promise<Runtime[]> {
  const script = join(consumer, SCRIPT.replace(/\.ts$/, ".js"));
  await Deno.mkdir(dirname(script), { recursive: true });
  await Deno.writeTextFile(script, await transpile(SCRIPT));
  const onPackage = (name: string, program: string) => ({
    name,
    program,
    args: [script],
  });
  return [
    {
      name: "Deno",
      program: Deno.execPath(),
      args: ["run", "--quiet", "-A", join(root, SCRIPT)],
    },
    onPackage("Node 20", await nodeExecutable(20)),
    onPackage("Node 24", await nodeExecutable(24)),
    onPackage("Bun", await bunExecutable()),
  ];
}

async function makeSnapshot(directory: string, mib: number): Promise<string> {
  const store = await openFileSnapshotStore(directory);
  const block = random(1).bytes(MIB);
  const state = function* () {
    for (let i = 0; i < mib; i++) {
      // No two blocks are the same.
      new DataView(block.buffer).setUint32(0, i);
      yield block;
    }
  };
  const { id } = await store.save({
    index: 1,
    term: 1,
    configuration: { servers: [] },
    configurationIndex: 1,
  }, state());
  await store.close();
  return id;
}

async function startServer({ program, args }: Runtime, directory: string) {
  const process = new Deno.Command(program, {
    args: [...args, "serve", directory],
    stdout: "piped",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const { value: port } = await lines.read();
  return { process, url: `http://127.0.0.1:${port}` };
}

/** Seconds that curl and sync take. */
async function curl(url: string, file: string): Promise<number> {
  const start = performance.now();
  await mustRun("curl", ["--silent", "--fail", "--output", file, url]);
  await mustRun("sync", [file]);
  return (performance.now() - start) / 1000;
}

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "1024" },
    rounds: { type: "string", default: "5" },
  },
});
const mib = Number(values.mib);
await using folder = await temporaryFolder();
const consumer = join(folder.path, "consumer");
await Deno.mkdir(consumer);
await makeConsumer(consumer);
const runtimes = await findRuntimes(consumer);
const [deno] = runtimes;
if (deno === undefined) throw new Error("Cannot measure: no runtime");

const served = join(folder.path, "served");
const id = await makeSnapshot(served, mib);
const { process: server, url } = await startServer(deno, served);
const samples = new Map<string, Sample[]>();
const add = (name: string, sample: Sample) =>
  samples.set(name, [...samples.get(name) ?? [], sample]);
const prepare = async () => {
  await rest(mib * MIB);
  await warmMemory(folder.path, mib * MIB);
};
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    const file = join(folder.path, "curl.bin");
    await prepare();
    const seconds = await curl(`${url}/snapshots/${id}`, file);
    await Deno.remove(file);
    add("curl and sync", { seconds, cpuSeconds: NaN, peakBytes: NaN });
    for (const { name, program, args } of runtimes) {
      for (const what of ["install", "download"] as const) {
        const target = join(folder.path, "target");
        const task = [what, url, id, target];
        await prepare();
        const output = await mustRun(program, [...args, ...task]);
        await Deno.remove(target, { recursive: true });
        const suffix = what === "install" ? "" : ", without checks";
        add(`${name}${suffix}`, JSON.parse(output.trim()));
      }
    }
  }
} finally {
  server.kill();
  await server.status;
}

const curlSeconds = (samples.get("curl and sync") ?? []).map((it) =>
  it.seconds
);
const show = (value: number, digits = 0) =>
  (Number.isNaN(value) ? "" : value.toFixed(digits)).padStart(7);
console.log(`${" ".repeat(24)}  MiB/s  ratio  CPU s  MiB`);
for (const [name, all] of samples) {
  const of = (key: keyof Sample) => all.map((sample) => sample[key]);
  const ratios = of("seconds").map((seconds, i) =>
    (curlSeconds[i] ?? 0) / seconds
  );
  const figures = [
    show(mib / median(of("seconds"))),
    show(median(ratios), 2),
    show(median(of("cpuSeconds")), 2),
    show(Math.max(...of("peakBytes")) / MIB),
  ];
  console.log(`${name.padEnd(24)}${figures.join("")}`);
}
