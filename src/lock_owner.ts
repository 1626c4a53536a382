/**
 * Who holds a lock, and how that is said.
 *
 * @module
 */

import { printable, shorten } from "./text.ts";

/** Who holds a lock, as far as the lock file tells. */
export interface LockOwner {
  /** The holder's process ID. */
  readonly pid: number;
  /** The holder's host name, or `null` where it may not be known. */
  readonly host: string | null;
  /** The holder's runtime, such as `"deno 2.9.6"`. */
  readonly runtime: string;
  /** When the lock was taken, in milliseconds since 1970. */
  readonly since: number;
}

/** A time in ISO 8601, also when a lock file holds nonsense. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? "(unknown)" : time.toISOString();
}

/** What the lock file says, which any program may have written. */
function show(text: string): string {
  return printable(shorten(text));
}

/** Says who holds a lock. */
export function describeOwner(owner: LockOwner): string {
  return `process ${owner.pid} (${show(owner.runtime)}) on host ` +
    `${show(owner.host ?? "(unknown)")} since ${formatTime(owner.since)}`;
}

/** Says which lock is held, by whom, and what to do. */
export function lockedMessage(
  path: string,
  owner: LockOwner | undefined,
  hint: string | undefined,
): string {
  const holder = owner === undefined
    ? "a process that did not say who it is"
    : describeOwner(owner);
  const advice = hint === undefined ? "" : `; ${hint}`;
  return `Cannot lock ${path}: held by ${holder}${advice}`;
}
