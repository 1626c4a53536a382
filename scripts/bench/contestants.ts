/**
 * Who is measured: this library on each runtime, and its peers. Each knows how
 * to make one measurement in a process of its own.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun, run } from "../support/command.ts";
import { config, root } from "../support/repository.ts";
import { makeConsumer } from "../test_runner/consumer.ts";
import { bunExecutable, nodeExecutable } from "../test_runner/executables.ts";
import { transpile } from "../test_runner/transpile.ts";

/** One measurement. */
export interface Sample {
  /** How long it took. */
  readonly seconds: number;
  /** The growth of the memory at its peak, in bytes; 0 where not measured. */
  readonly peakBytes: number;
}

/**
 * A measure of a contestant, in a directory, of so many bytes; most give one
 * sample.
 */
export type Measure = (
  measure: string,
  directory: string,
  bytes: number,
) => Promise<readonly Sample[]>;

/** Who can be measured, and with which version. */
export interface Contestant {
  /** Its name in the tables. */
  readonly name: string;
  /** Makes one measurement. */
  readonly measure: Measure;
}

/** All contestants that this machine can run. */
export interface Contestants {
  /** This library, by runtime. */
  readonly ours: readonly Contestant[];
  /** Go's `hash/crc64` and the file store of hashicorp/raft. */
  readonly go: Contestant | undefined;
  /** hash-wasm, on Node. */
  readonly hashWasm: Contestant | undefined;
  /** liblzma, through a few lines of C. */
  readonly liblzma: Contestant | undefined;
  /** Measures the disk with the system's own tools. */
  readonly system: Contestant | undefined;
}

const WORKLOAD = "scripts/bench/workload.ts";
const HASH_WASM = "scripts/bench/hash_wasm.ts";
const SOURCES = [
  WORKLOAD,
  HASH_WASM,
  ...["common", "median", "restoring", "saving", "small"].map((name) =>
    `scripts/bench/${name}.ts`
  ),
];

/** This library on Deno, and nothing that has to be installed or built. */
export async function prepareDeno(): Promise<Contestants> {
  const ours = [await oursOnDeno()];
  const none = undefined;
  return { ours, go: none, hashWasm: none, liblzma: none, system: none };
}

async function oursOnDeno(): Promise<Contestant> {
  return {
    name: await version("Deno", Deno.execPath()),
    measure: (...args) =>
      sample(Deno.execPath(), [
        "run",
        "--allow-all",
        "--no-check",
        join(root, WORKLOAD),
        ...args.map(String),
      ]),
  };
}

/** Installs the peers in an empty folder, and tells who there is. */
export async function prepare(folder: string): Promise<Contestants> {
  const consumer = join(folder, "consumer");
  await Deno.mkdir(consumer);
  await makeConsumer(consumer);
  const hashWasm = config.imports["hash-wasm"].replace("npm:", "");
  await mustRun("npm", ["install", "--no-audit", "--no-fund", hashWasm], {
    cwd: consumer,
  });
  for (const source of SOURCES) {
    const target = join(consumer, source.replace(/\.ts$/, ".js"));
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, await transpile(source));
  }
  const node20 = await nodeExecutable(20);
  const script = join(consumer, WORKLOAD.replace(/\.ts$/, ".js"));
  const program = (executable: string): Measure => (...args) =>
    sample(executable, [script, ...args.map(String)]);
  return {
    ours: [
      await oursOnDeno(),
      {
        name: await version("Bun", await bunExecutable()),
        measure: program(await bunExecutable()),
      },
      { name: await version("Node", node20), measure: program(node20) },
      {
        name: await version("Node", await nodeExecutable(24)),
        measure: program(await nodeExecutable(24)),
      },
    ],
    go: await buildGo(folder),
    hashWasm: {
      name: "hash-wasm",
      measure: (_measure, _directory, bytes) =>
        sample(node20, [
          join(consumer, HASH_WASM.replace(/\.ts$/, ".js")),
          String(bytes),
        ]),
    },
    liblzma: await buildLiblzma(folder),
    system: { name: "dd, cat", measure: measureSystem },
  };
}

async function version(name: string, executable: string): Promise<string> {
  const text = await mustRun(executable, ["--version"]);
  return `${name} ${/\d+\.\d+\.\d+/.exec(text)?.[0]}`;
}

async function sample(
  program: string,
  args: readonly string[],
): Promise<readonly Sample[]> {
  const text = await mustRun(program, args, { cwd: root });
  return text.trim().split("\n").map((line) => JSON.parse(line) as Sample);
}

async function buildGo(folder: string): Promise<Contestant | undefined> {
  const source = fileURLToPath(new URL("./go", import.meta.url));
  const program = join(folder, "go_bench");
  try {
    const name = await mustRun("go", ["version"]);
    await mustRun("go", ["build", "-o", program, "."], { cwd: source });
    return {
      name: `Go ${/go(\d+\.\d+(\.\d+)?)/.exec(name)?.[1]}`,
      measure: (...args) => sample(program, args.map(String)),
    };
  } catch (error) {
    return missing("Go", error);
  }
}

async function buildLiblzma(folder: string): Promise<Contestant | undefined> {
  const source = fileURLToPath(new URL("./liblzma.c", import.meta.url));
  const program = join(folder, "liblzma_bench");
  try {
    await mustRun("cc", ["-O2", "-o", program, source, "-llzma"]);
    return {
      name: "liblzma",
      measure: (_measure, _directory, bytes) =>
        sample(program, [String(bytes)]),
    };
  } catch (error) {
    return missing("liblzma (Debian: liblzma-dev)", error);
  }
}

function missing(name: string, error: unknown): undefined {
  console.error(`${name} can't be measured here: ${String(error)}`);
  return undefined;
}

/** `dd conv=fsync` for writing, `cat` for reading. */
async function measureSystem(
  measure: string,
  directory: string,
  bytes: number,
): Promise<readonly Sample[]> {
  const mib = bytes / (1024 * 1024);
  const command = measure === "write"
    ? `dd if=/dev/zero of=${directory}/dd bs=1M count=${mib} conv=fsync`
    : `cat ${directory}/snapshots/*/state.bin > /dev/null`;
  const start = performance.now();
  const { ok, output } = await run("sh", ["-c", command]);
  if (!ok) throw new Error(output);
  return [{ seconds: (performance.now() - start) / 1000, peakBytes: 0 }];
}
