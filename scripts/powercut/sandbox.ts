/**
 * Runs the test in process and mount namespaces of its own, so that nothing is
 * left behind, however it ends: when the first process ends, the kernel ends the
 * others; when the last one ends, it removes the mounts and the loop devices.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { run } from "../support/command.ts";
import { PLACE } from "./disk.ts";

const MAIN = fileURLToPath(new URL("../test_powercut.ts", import.meta.url));

const INSIDE = "RAFT_SNAPSHOTS_POWERCUT";

const UNSHARE = [
  ...["--mount", "--pid", "--fork", "--mount-proc"],
  "--kill-child=SIGKILL",
];

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether this process is in the sandbox. */
export function isInSandbox(): boolean {
  return Deno.env.has(INSIDE);
}

function cannotOpen(path: string): string | undefined {
  try {
    Deno.openSync(path, { read: true, write: true }).close();
    return undefined;
  } catch (error) {
    return `${path} cannot be opened (${error})`;
  }
}

/** Why the power can't be cut on this machine; `undefined` when it can. */
export async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "that needs Linux";
  if (Deno.uid() !== 0) return "that needs root";
  const closed = cannotOpen("/dev/fuse") ?? cannotOpen("/dev/loop-control");
  if (closed !== undefined) return closed;
  const mount = ["mount", "-t", "tmpfs", "powercut", PLACE];
  const mounted = await run("unshare", [...UNSHARE, ...mount]);
  if (!mounted.ok) return `nothing can be mounted (${mounted.output.trim()})`;
  const loop = await run("losetup", ["--find"]);
  return loop.ok ? undefined : `no loop device is free (${loop.output.trim()})`;
}

/** Ends this process, which is in the sandbox, when the one outside has ended. */
export async function endWithParent(): Promise<void> {
  // Nothing is ever written to the pipe: only its end counts.
  for await (const _ of Deno.stdin.readable);
  Deno.exit(1);
}

/** Runs the script again in the sandbox; whether its exit code was 0. */
export async function enterSandbox(args: readonly string[]): Promise<boolean> {
  const child = new Deno.Command("unshare", {
    args: [...UNSHARE, Deno.execPath(), "run", "--allow-all", MAIN, ...args],
    env: { [INSIDE]: "1" },
    // It ends with this process, however this one ends; see endWithParent().
    stdin: "piped",
  }).spawn();
  const kill = () => child.kill("SIGKILL");
  for (const signal of SIGNALS) Deno.addSignalListener(signal, kill);
  const { success } = await child.status;
  for (const signal of SIGNALS) Deno.removeSignalListener(signal, kill);
  return success;
}
