/**
 * The identity of a process, which tells it from a later one with the same ID.
 *
 * @module
 */

import { isOutOfResources } from "../system_code.ts";
import { isEverythingPermitted, isPermitted } from "./deno.ts";
import { node } from "./node.ts";

/** This host's name, or `null` without the permission to read it. */
export function hostName(): string | null {
  if (!isPermitted({ name: "sys", kind: "hostname" })) return null;
  try {
    return node.os.hostname();
  } catch {
    return null;
  }
}

/** The number of this process. */
export function processId(): number {
  return node.process.pid;
}

/** The runtime with its version, such as `"deno 2.9.6"`. */
export function runtimeName(): string {
  const { deno, bun, node: version } = node.process.versions;
  if (deno !== undefined) return `deno ${deno}`;
  return bun === undefined ? `node ${version}` : `bun ${bun}`;
}

/** A process as Linux knows it. */
export interface Incarnation {
  /** The boot and the clock tick of its start, which no later process has. */
  readonly started: string;
  /**
   * Whether it has ended, but its parent has not collected its exit status yet.
   */
  readonly ended: boolean;
}

function requireProc(path: string): void {
  if (isEverythingPermitted()) return;
  throw new Error(`Cannot read ${path}: Deno needs --allow-all for it`);
}

async function readProc(path: string): Promise<string> {
  requireProc(path);
  return await node.fs.promises.readFile(path, "utf8");
}

async function readProcLink(path: string): Promise<string> {
  requireProc(path);
  return await node.fs.promises.readlink(path);
}

/**
 * Reads a value that may be hidden or missing: outside of Linux, by systemd's
 * `ProcSubset`, without permission. A lack of descriptors is an error instead,
 * because then the value is neither.
 */
async function look<T, Hidden>(
  looking: Promise<T>,
  hidden: Hidden,
): Promise<T | Hidden> {
  try {
    return await looking;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return hidden;
  }
}

/**
 * The ID of this boot of the kernel; `null` where it is hidden.
 *
 * @throws {Error} with the system's `code` when descriptors or memory run out,
 * as the other functions here.
 */
export async function bootId(): Promise<string | null> {
  const boot = await look(readProc("/proc/sys/kernel/random/boot_id"), null);
  return boot === null ? null : boot.trim();
}

/** The number of a namespace in a link such as `pid:[4026531836]`. */
async function namespaceNumber(name: string): Promise<string> {
  const link = await readProcLink(`/proc/self/ns/${name}`);
  return /\d+/.exec(link)?.[0] ?? "";
}

/**
 * Where process IDs and start times mean the same: the namespaces of both on
 * Linux, the platform elsewhere; `null` where they are hidden.
 */
export async function pidNamespace(): Promise<string | null> {
  const { platform } = node.process;
  if (platform !== "linux") return platform;
  const pids = await look(namespaceNumber("pid"), null);
  if (pids === null) return null;
  // Start times are shifted by the time namespace. Old kernels have none.
  const times = await look(namespaceNumber("time"), "");
  return `${pids}.${times}`;
}

/** The process that has the ID now; `undefined` where `/proc` can't be read. */
export async function incarnationOf(
  pid: number,
): Promise<Incarnation | undefined> {
  const [stat, boot, self] = await Promise.all([
    look(readProc(`/proc/${pid}/stat`), undefined),
    bootId(),
    look(readProcLink("/proc/self"), undefined),
  ]);
  // In a PID namespace without a /proc of its own, the numbers there are those
  // of the outer namespace.
  if (stat === undefined || self !== String(node.process.pid)) return undefined;
  // The command's name stands in brackets, and may itself hold some. After it
  // come the third field, the state, and later the 22nd, the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, ticks] = [fields[0], fields[19]];
  if (state === undefined || ticks === undefined) return undefined;
  return { started: `${boot ?? ""}/${ticks}`, ended: /[ZX]/.test(state) };
}

/**
 * Whether two starts are those of one process, if both are under one kernel and
 * have one number. The boot does not count: it is hidden from some processes.
 */
export function isSameStart(one: string, two: string): boolean {
  return one.split("/").at(-1) === two.split("/").at(-1);
}
