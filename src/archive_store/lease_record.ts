/**
 * The content of the object of a lease.
 *
 * @module
 */

import type { LockOwner } from "../lock_owner.ts";

/** The holder of a lease. */
export interface LeaseRecord extends LockOwner {
  /** Tells one holder from another. */
  readonly token: string;
  /** Counts renewals, so that no two versions of the object are the same. */
  readonly renewal: number;
  /** How long it lasts after its last renewal, in milliseconds. */
  readonly leaseMs: number;
  /** Whether its holder has given it up. */
  readonly released: boolean;
}

/** A lease of another version of this library may be that long, in milliseconds. */
const LEASE_MS_MAX = 60 * 60 * 1000;

/** The bytes of the object. */
export function encodeLease(record: LeaseRecord): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

/** Whether a text that is not a lease may be the beginning of one. */
export function mayBeCutLease(text: string): boolean {
  // Only the end of a lease has these, because JSON escapes line ends.
  return !text.endsWith("}\n");
}

/** Reads an object; `undefined` when it is not a lease. */
export function decodeLease(text: string): LeaseRecord | undefined {
  let found: Partial<Record<keyof LeaseRecord, unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, host, runtime, since, token, renewal, leaseMs, released } =
    found ?? {};
  const isLease = typeof token === "string" && isCount(renewal) &&
    isCount(leaseMs) && leaseMs <= LEASE_MS_MAX &&
    typeof released === "boolean";
  if (!isLease) return undefined;
  return {
    pid: isCount(pid) ? pid : 0,
    host: typeof host === "string" ? host : null,
    runtime: typeof runtime === "string" ? runtime : "unknown",
    since: isCount(since) ? since : NaN,
    token,
    renewal,
    leaseMs,
    released,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
