/**
 * The command line tool as a process of its own, and a store for it.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { buffer, text } from "node:stream/consumers";
import { openFileSnapshotStore } from "@raft/snapshots";
import {
  runtime,
  type ScriptOptions,
  type ScriptResult,
} from "../support/runtime.ts";

const script = new URL("../../src/cli/main.ts", import.meta.url);

/** Runs the tool to its end. */
export async function raftSnapshots(
  args: readonly string[],
  input: string | Uint8Array = "",
  options: ScriptOptions = {},
): Promise<ScriptResult> {
  return await runtime.runScript(script, args, { ...options, input });
}

/** Starts the tool with pipes on all sides; the caller sees to its end. */
export function startRaftSnapshots(args: readonly string[]): ChildProcess {
  return runtime.spawnScript(script, args, { stdio: "pipe" });
}

/**
 * Has a program run the tool: the program gets `args`, and after them the
 * command line of the tool. Gives its exit code, and its output as bytes.
 */
export async function runBy(
  [program, ...args]: readonly [string, ...string[]],
  toolArgs: readonly string[],
): Promise<{ code: number | null; stdout: Uint8Array; stderr: string }> {
  const child = spawn(
    program,
    [...args, ...runtime.commandFor(script), ...toolArgs],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const [output, stderr, [code]] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout: new Uint8Array(output), stderr };
}

/**
 * Sends a signal, and gives the result of the process. (`child.kill()` of Deno
 * takes every process that it signals for one that the signal ended.)
 */
export async function endBySignal(
  child: ChildProcess,
  name: NodeJS.Signals,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const ended = once(child, "exit");
  process.kill(child.pid ?? NaN, name);
  const [code, signal] = await ended;
  return { code, signal };
}

/** Makes a store with a snapshot of each state; gives their IDs, oldest first. */
export async function makeStore(
  directory: string,
  states: readonly (string | Uint8Array<ArrayBuffer>)[],
): Promise<string[]> {
  const store = await openFileSnapshotStore(directory, { retain: 100 });
  const ids: string[] = [];
  for (const [i, state] of states.entries()) {
    const sink = await store.create({
      index: 10n + BigInt(i),
      term: 3n,
      configuration: {
        servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
      },
      configurationIndex: 2n,
    });
    await new Blob([state]).stream().pipeTo(sink);
    ids.push(sink.id);
  }
  await store.close();
  return ids;
}

/** The names in `directory/snapshots`, except the lock's. */
export async function snapshotNames(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, "snapshots"));
  return names.filter((name) => !name.startsWith(".lock")).sort();
}

/** How to make the files that a killed program leaves. */
export interface UnfinishedOptions {
  /** Whether this library was writing it, and not Go. @default {false} */
  readonly isOurs?: boolean;
  /** How long ago it was last changed, in hours. @default {0} */
  readonly ageHours?: number;
}

/** Leaves 1,024 bytes of a snapshot that was never finished. */
export async function makeUnfinished(
  directory: string,
  name: string,
  { isOurs = false, ageHours = 0 }: UnfinishedOptions = {},
): Promise<void> {
  const path = join(directory, "snapshots", name);
  await mkdir(path, { recursive: true });
  const files = ["state.bin", ...(isOurs ? ["blocks.crc64"] : [])];
  const changed = new Date(Date.now() - ageHours * 3_600_000);
  for (const file of files) {
    await writeFile(join(path, file), new Uint8Array(1024 / files.length));
    await utimes(join(path, file), changed, changed);
  }
  await utimes(path, changed, changed);
}
