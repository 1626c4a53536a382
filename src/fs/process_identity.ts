/**
 * What tells a process from others, and from a later one with the same number.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { isPermitted } from "./deno_runtime.ts";

/** This host's name, or `null` where it may not be known. */
export function hostName(): string | null {
  if (!isPermitted({ name: "sys", kind: "hostname" })) return null;
  try {
    return hostname();
  } catch {
    return null;
  }
}

/** The runtime with its version, such as `"deno 2.9.6"`. */
export function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  if (deno !== undefined) return `deno ${deno}`;
  return bun === undefined ? `node ${node}` : `bun ${bun}`;
}

/** A process as Linux knows it. */
export interface Incarnation {
  /** The boot and the clock tick that it was started at: never used again. */
  readonly started: string;
  /** It has ended, and its parent has not taken note yet. */
  readonly ended: boolean;
}

async function readProc(path: string): Promise<string> {
  if (!isPermitted({ name: "read", path })) {
    throw new Error(`Cannot read ${path}: no permission`);
  }
  return await readFile(path, "utf8");
}

/** The process that has the number now; `undefined` where one can't look. */
export async function incarnationOf(
  pid: number,
): Promise<Incarnation | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readProc(`/proc/${pid}/stat`),
      readProc("/proc/sys/kernel/random/boot_id"),
    ]);
    // The command's name stands in brackets, and may itself hold some. After it
    // come the third field, the state, and later the 22nd, the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, ticks] = [fields[0], fields[19]];
    if (state === undefined || ticks === undefined) return undefined;
    return { started: `${boot.trim()}/${ticks}`, ended: /[ZX]/.test(state) };
  } catch {
    return undefined;
  }
}
