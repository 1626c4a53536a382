/**
 * Whether the process that a lock record names still holds the lock.
 *
 * The lock of a live holder must never be taken, and a dead one must not block
 * forever. Where the two can't be told apart, the operator decides.
 *
 * @module
 */

import { isPermitted } from "../../runtime/deno.ts";
import { node } from "../../runtime/node.ts";
import {
  type DiskIdentity,
  diskOf,
  isSameLocalKind,
  isSameMount,
} from "./disk_identity.ts";
import { tokensGivenUpHere, tokensHeldHere } from "./held_tokens.ts";
import { isKernelLocked } from "./kernel_lock.ts";
import type { LockRecord } from "./record.ts";
import { askSocket } from "./socket.ts";
import {
  bootId,
  hostName,
  incarnationOf,
  isSameStart,
  pidNamespace,
} from "../../runtime/process_identity.ts";

/** Whether a holder is alive. */
export interface Liveness {
  /** Whether the holder has certainly ended. */
  readonly dead: boolean;
  /** Set when the holder is this process. */
  readonly here?: true;
  /** Advice for the operator when neither is certain. */
  readonly hint?: string;
}

/** Which lock is examined, and from where. */
export interface Question {
  /** Where the record was found. */
  readonly path: string;
  /** The socket that its holder listens on, if it does. */
  readonly socket: string;
  /** The user's identity for this host. */
  readonly hostId: string | null;
}

const DEAD: Liveness = { dead: true };
const ALIVE: Liveness = { dead: false };

/** The asker's identity, to compare with the record's. */
interface Asker extends DiskIdentity {
  readonly host: string | null;
  readonly hostId: string | null;
  readonly boot: string | null;
  readonly namespace: string | null;
}

async function askerOf({ path, hostId }: Question): Promise<Asker> {
  const [boot, namespace, disk] = await Promise.all([
    bootId(),
    pidNamespace(),
    diskOf(node.path.posix.dirname(path)),
  ]);
  return { host: hostName(), hostId, boot, namespace, ...disk };
}

/** Whether the two are equal; `undefined` when either is missing. */
function agree<T>(one: T | null, two: T | null): boolean | undefined {
  return one === null || two === null ? undefined : one === two;
}

/**
 * Whether the holder was on this host: by the identity that the user gave, or
 * else the boot of the kernel, or else the name; `undefined`: unknown.
 */
function isSameHost(record: LockRecord, asker: Asker): boolean | undefined {
  const identity = agree(record.hostId, asker.hostId);
  if (identity !== undefined) return identity;
  if (agree(record.boot, asker.boot)) return true;
  return agree(record.host, asker.host);
}

/** Whether the host has been started again since, by its identity or name. */
function hasRebooted(record: LockRecord, asker: Asker): boolean {
  return isSameHost(record, asker) === true &&
    agree(record.boot, asker.boot) === false;
}

/**
 * Whether the holder certainly ran on this kernel. Two hosts may have the same
 * name, so a name is not a proof. Where the boot of the kernel is hidden, the
 * disk is a proof, because no other kernel can have it mounted.
 */
function isSameKernel(record: LockRecord, asker: Asker): boolean {
  const identity = agree(record.hostId, asker.hostId);
  if (identity !== undefined) return identity;
  return agree(record.boot, asker.boot) ?? isSameLocalKind(record, asker);
}

/** Asks the system for a process without touching it. */
function askFor(pid: number): "found" | "missing" | "forbidden" {
  if (!isPermitted({ name: "run" })) return "forbidden";
  try {
    node.process.kill(pid, 0);
    return "found";
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ESRCH") return "missing";
    return code === "EPERM" ? "found" : "forbidden";
  }
}

/**
 * Decides by the process ID in its namespace. Another process may have got the
 * same ID since.
 */
async function livenessByPid(
  record: LockRecord,
  path: string,
): Promise<Liveness> {
  const answer = askFor(record.pid);
  if (answer === "missing") return DEAD;
  if (answer === "found") {
    const now = await incarnationOf(record.pid);
    if (now?.ended) return DEAD;
    if (now !== undefined && record.started !== null) {
      return { dead: !isSameStart(now.started, record.started) };
    }
  }
  return {
    dead: false,
    hint: `if that is another program by now, remove ${path}`,
  };
}

/** Whether process IDs have the same meaning here as for the holder. */
function canAskForPid(record: LockRecord, asker: Asker): boolean {
  if (!agree(record.namespace, asker.namespace)) return false;
  // Elsewhere a host is known by its name alone.
  return node.process.platform === "linux"
    ? isSameKernel(record, asker)
    : isSameHost(record, asker) !== false;
}

/** The advice for a person when the holder can't be checked. */
function hintFor(record: LockRecord, asker: Asker, path: string): string {
  const remove = `remove ${path} once no process uses the directory`;
  if (asker.namespace === null || !isPermitted({ name: "run" })) {
    return "this process may not check whether the holder is alive: " +
      `allow that (Deno: --allow-all), or ${remove}`;
  }
  if (isSameHost(record, asker) === false) {
    return `this is ${asker.hostId ?? asker.host}, from which the holder ` +
      `can't be checked; ${remove}, or give the same hostId (--host-id) on ` +
      "both sides if they are one machine";
  }
  return "the holder may be in another container, where it can't be " +
    `checked; ${remove}`;
}

/**
 * Whether the holder of a record is dead.
 *
 * @throws {Error} with the system's `code` when descriptors or memory run out:
 * that says nothing about the holder.
 */
export async function livenessOf(
  record: LockRecord,
  question: Question,
): Promise<Liveness> {
  const { path, socket } = question;
  if (tokensGivenUpHere.has(record.token)) {
    tokensGivenUpHere.set(record.token, "seen");
    return DEAD;
  }
  if (tokensHeldHere.has(record.token)) return { ...ALIVE, here: true };
  const answer = record.listens ? await askSocket(socket) : "unknown";
  if (answer === "answered") return ALIVE;
  const asker = await askerOf(question);
  if (hasRebooted(record, asker)) return DEAD;
  const isProof = isSameKernel(record, asker) && isSameMount(record, asker);
  if (answer === "silent" && isProof) return DEAD;
  if (record.kernel && isSameHost(record, asker) !== false) {
    const locked = await isKernelLocked(path);
    if (locked !== undefined) return { dead: !locked };
  }
  if (canAskForPid(record, asker)) return await livenessByPid(record, path);
  return { dead: false, hint: hintFor(record, asker, path) };
}
