/**
 * The runtime that the tests run on, and how to run a script of ours with it in
 * a process of its own.
 *
 * @module
 */

import {
  type ChildProcess,
  spawn,
  type SpawnOptions,
} from "node:child_process";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** How to run a script. */
export interface ScriptOptions extends SpawnOptions {
  /** Deno's flags. @default {["--allow-all"]} */
  readonly denoFlags?: readonly string[];
  /** A command, with its arguments, that starts the runtime. */
  readonly through?: readonly string[];
  /** Whether the script becomes another user. @default {when `uid` is set} */
  readonly becomesUser?: boolean;
}

/** The result of a script. */
export interface ScriptResult {
  /** Its exit code; `null` when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: NodeJS.Signals | null;
  /** Its output. */
  readonly stdout: string;
  /** Its error output. */
  readonly stderr: string;
}

function runtimeName(): "bun" | "deno" | "node" {
  if (process.versions["bun"] !== undefined) return "bun";
  if (process.versions["deno"] !== undefined) return "deno";
  return "node";
}

const name = runtimeName();

function commandFor(
  script: URL,
  denoFlags: readonly string[] = ["--allow-all"],
): [program: string, ...args: string[]] {
  const before = name === "deno" ? ["run", "--quiet", ...denoFlags] : [];
  return [process.execPath, ...before, fileURLToPath(script)];
}

function spawnScript(
  script: URL,
  args: readonly string[] = [],
  options: ScriptOptions = {},
): ChildProcess {
  const { denoFlags, through = [], becomesUser, ...given } = options;
  // Another user can't write to the folder of Deno's coverage.
  const { DENO_COVERAGE_DIR: _, ...ownEnv } = given.env ?? process.env;
  const spawnOptions = becomesUser ?? given.uid !== undefined
    ? { ...given, env: ownEnv }
    : given;
  const [program, ...before] = commandFor(script, denoFlags);
  const own = [program, ...before, ...args];
  const [command = program, ...rest] = [...through, ...own];
  return spawn(command, rest, spawnOptions);
}

async function runScript(
  script: URL,
  args: readonly string[] = [],
  options: ScriptOptions & { readonly input?: string | Uint8Array } = {},
): Promise<ScriptResult> {
  const { input, ...spawnOptions } = options;
  const child = spawnScript(script, args, { ...spawnOptions, stdio: "pipe" });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) {
    throw new TypeError("Cannot run a script: its output is not piped");
  }
  // A script may end before it has read all of its input.
  stdin.on("error", () => {});
  stdin.end(input);
  const ended = new Promise<Pick<ScriptResult, "code" | "signal">>(
    (resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal }));
    },
  );
  const [output, complaints, end] = await Promise.all([
    text(stdout),
    text(stderr),
    ended,
  ]);
  return { ...end, stdout: output, stderr: complaints };
}

/** The runtime that the tests run on. */
export const runtime = {
  /** Which one it is. */
  name,
  /** The command that runs a script, for a shell to run it. */
  commandFor,
  /** Starts a script with this runtime; the caller sees to its end. */
  spawnScript,
  /** Runs a script to its end, with `input` as its standard input. */
  runScript,
} as const;
