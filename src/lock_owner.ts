/**
 * The holder of a lock, and its description in messages.
 *
 * @module
 */

import { printable, shorten } from "./text.ts";

/** The holder of a lock, as the lock file describes it. */
export interface LockOwner {
  /** The holder's process ID. */
  readonly pid: number;
  /**
   * The holder's host name, or `null` where the holder has no permission to
   * read it.
   */
  readonly host: string | null;
  /** The holder's runtime, such as `"deno 2.9.6"`. */
  readonly runtime: string;
  /** When the lock was taken, in milliseconds since 1970. */
  readonly since: number;
}

/** A time in ISO 8601; the lock file may hold any number. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? "(unknown)" : time.toISOString();
}

/** A text of the lock file, which any program may have written, made safe. */
function show(text: string): string {
  return printable(shorten(text));
}

/** Describes the holder of a lock. */
export function describeOwner(owner: LockOwner): string {
  return `process ${owner.pid} (${show(owner.runtime)}) on host ` +
    `${show(owner.host ?? "(unknown)")} since ${formatTime(owner.since)}`;
}

/** The message that names a held lock and its holder, and says what to do. */
export function lockedMessage(
  path: string,
  owner: LockOwner | undefined,
  hint: string | undefined,
): string {
  const holder = owner === undefined
    ? "an unknown process"
    : describeOwner(owner);
  const advice = hint === undefined ? "" : `; ${hint}`;
  return `Cannot lock ${path}: held by ${holder}${advice}`;
}
