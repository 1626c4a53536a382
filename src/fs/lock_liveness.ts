/**
 * Whether the process that a lock record names still holds the lock.
 *
 * A live holder must never be robbed, and a dead one must not block for ever;
 * where the two can't be told apart, a person is asked.
 *
 * @module
 */

import process from "node:process";
import { isPermitted } from "./deno_runtime.ts";
import { isKernelLocked } from "./kernel_lock.ts";
import type { LockRecord } from "./lock_record.ts";
import { hostName, incarnationOf } from "./process_identity.ts";

/** What is known of a holder. */
export interface Liveness {
  /** It is certain that it holds the lock no more. */
  readonly dead: boolean;
  /** What a person can do when it is not certain. */
  readonly hint?: string;
}

// On globalThis, because a program may have loaded this module twice.
const TOKENS: unique symbol = Symbol.for("@raft/snapshots/lock-tokens");
const shared = globalThis as { [TOKENS]?: Set<string> };

/** The tokens of the locks that this process holds. */
export const tokensHeldHere: Set<string> = shared[TOKENS] ??= new Set();

/** Asks the system for a process without touching it. */
function askFor(pid: number): "found" | "missing" | "forbidden" {
  if (!isPermitted({ name: "run" })) return "forbidden";
  try {
    process.kill(pid, 0);
    return "found";
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ESRCH") return "missing";
    return code === "EPERM" ? "found" : "forbidden";
  }
}

/**
 * By the process's number. It may have been given to another process since: to
 * this very one, even, when a container is started anew.
 */
async function livenessByPid(
  record: LockRecord,
  path: string,
): Promise<Liveness> {
  const answer = askFor(record.pid);
  if (answer === "missing") return { dead: true };
  if (answer === "forbidden") {
    return {
      dead: false,
      hint:
        "Deno may not ask whether it is alive: allow that by --allow-run, " +
        `or remove ${path} once no process uses the directory`,
    };
  }
  const now = await incarnationOf(record.pid);
  if (now?.ended) return { dead: true };
  if (now !== undefined && record.started !== null) {
    return { dead: now.started !== record.started };
  }
  return {
    dead: false,
    hint: `if that is another program by now, remove ${path}`,
  };
}

/** Whether the holder of the record found at `path` is dead. */
export async function livenessOf(
  record: LockRecord,
  path: string,
): Promise<Liveness> {
  if (tokensHeldHere.has(record.token)) return { dead: false };
  const host = hostName();
  if (host !== null && record.host !== null && host !== record.host) {
    return {
      dead: false,
      hint: `this is ${host}, where nobody can ask for it; ` +
        `remove ${path} once no process uses the directory`,
    };
  }
  const locked = record.kernel ? await isKernelLocked(path) : undefined;
  return locked === undefined
    ? await livenessByPid(record, path)
    : { dead: !locked };
}
