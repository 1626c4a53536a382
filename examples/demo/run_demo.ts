/** The demo's main process: it starts the steps, and damages the state. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { formatCount, formatDuration } from "../../src/cli/format.ts";
import type { StepName } from "./steps.ts";
import { bad, note, title } from "./screen.ts";

/** How the demo runs. */
export interface DemoOptions {
  /** The script that runs a step when it is given `--step` and `--base`. */
  readonly script: URL;
  /** Further arguments of the script. */
  readonly args: readonly string[];
  /** Whether to keep the files. */
  readonly keep: boolean;
}

/** Runs the demo, and removes its files. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const startMs = performance.now();
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const reason = new Error(`interrupted by ${name}`);
    process.once(name, () => interrupt.abort(reason));
  }
  const base = await mkdtemp(join(tmpdir(), "raft-snapshots-demo-"));
  console.log(
    "A Raft node's state is saved, restored, damaged, and restored again.",
  );
  const run = (step: StepName) =>
    runStep(step, base, options, interrupt.signal);
  try {
    await run("takeSnapshots");
    await run("restart");
    await damageNewest(join(base, "store", "snapshots"));
    await run("restartAfterDamage");
    title(`Done in ${formatDuration(performance.now() - startMs)}`);
  } catch (error) {
    interrupt.signal.throwIfAborted();
    throw error;
  } finally {
    await tidyUp(base, options.keep);
  }
}

/** Runs one step in a process of its own, on the same runtime. */
async function runStep(
  step: StepName,
  base: string,
  { script, args }: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  const runtimeArgs = process.versions["deno"] === undefined
    ? process.execArgv
    : ["run", "--allow-all", "--quiet"];
  const child = spawn(process.execPath, [
    ...runtimeArgs,
    fileURLToPath(script),
    ...["--step", step, "--base", base],
    ...args,
  ], { stdio: "inherit", signal });
  const [code] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`Cannot continue: ${step} ended with ${code}`);
  }
}

/** Flips one bit in the middle of the newest state, as a bad disk may. */
async function damageNewest(snapshots: string): Promise<void> {
  title("3. A bit of the newest state flips");
  const newest = await newestIn(snapshots);
  const file = await open(join(snapshots, newest, "state.bin"), "r+");
  try {
    const { size } = await file.stat();
    if (size === 0) return note("the state is empty, so no bit can be flipped");
    const position = Math.floor(size / 2);
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, position);
    const [before = 0] = byte;
    byte[0] = before ^ 1;
    await file.write(byte, 0, 1, position);
    bad(
      `byte ${formatCount(position)} of ${newest}/state.bin: ` +
        `was ${hex(before)}, is ${hex(before ^ 1)}`,
    );
  } finally {
    await file.close();
  }
}

/** Both are of one term, so the index tells which is newer. */
async function newestIn(snapshots: string): Promise<string> {
  const names = (await readdir(snapshots)).filter((name) =>
    /^[\d-]+$/.test(name)
  );
  const indexOf = (name: string) => Number(name.split("-")[1]);
  const [newest] = names.sort((a, b) => indexOf(b) - indexOf(a));
  if (newest === undefined) throw new Error("Cannot continue: no snapshot");
  return newest;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

async function tidyUp(base: string, keep: boolean): Promise<void> {
  if (keep) return note(`everything is still in ${base}`);
  await rm(base, { recursive: true, force: true });
  note(`removed ${base}; --keep leaves it there`);
}
