/** The process that tells the story: it starts the others, and does damage. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { formatCount, formatDuration } from "../../src/cli/format.ts";
import type { ActName } from "./steps.ts";
import { bad, note, title } from "./screen.ts";

/** How to tell it. */
export interface StoryOptions {
  /** The script that plays an act when it is given `--act` and `--base`. */
  readonly script: URL;
  /** What else to give to the script. */
  readonly args: readonly string[];
  /** Whether to leave what is on disk there. */
  readonly keep: boolean;
}

/** Tells the story from beginning to end, and tidies up. */
export async function tellStory(options: StoryOptions): Promise<void> {
  const startMs = performance.now();
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const reason = new Error(`interrupted by ${name}`);
    process.once(name, () => interrupt.abort(reason));
  }
  const base = await mkdtemp(join(tmpdir(), "raft-snapshots-demo-"));
  console.log(
    "A Raft node's state is saved, restored, damaged, and restored all the same.",
  );
  const play = (act: ActName) => playAct(act, base, options, interrupt.signal);
  try {
    await play("takeSnapshots");
    await play("restart");
    await damageNewest(join(base, "store", "snapshots"));
    await play("restartAfterDamage");
    title(`Done in ${formatDuration(performance.now() - startMs)}`);
  } catch (error) {
    interrupt.signal.throwIfAborted();
    throw error;
  } finally {
    await tidyUp(base, options.keep);
  }
}

/** Plays one act in a process of its own, with the runtime of this one. */
async function playAct(
  act: ActName,
  base: string,
  { script, args }: StoryOptions,
  signal: AbortSignal,
): Promise<void> {
  const runtimeArgs = process.versions["deno"] === undefined
    ? process.execArgv
    : ["run", "--allow-all", "--quiet"];
  const child = spawn(process.execPath, [
    ...runtimeArgs,
    fileURLToPath(script),
    ...["--act", act, "--base", base],
    ...args,
  ], { stdio: "inherit", signal });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`Cannot go on: ${act} ended with ${code}`);
}

/** Flips one bit in the middle of the newest state, as a bad disk may. */
async function damageNewest(snapshots: string): Promise<void> {
  title("3. The disk goes bad");
  const newest = await newestIn(snapshots);
  const file = await open(join(snapshots, newest, "state.bin"), "r+");
  try {
    const { size } = await file.stat();
    if (size === 0) return note("the state is empty: there is no bit to flip");
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
  if (newest === undefined) throw new Error("Cannot go on: no snapshot");
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
