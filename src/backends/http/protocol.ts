/**
 * The protocol between a snapshot server and its clients:
 *
 * - `GET snapshots`: a list, as JSON;
 * - `GET snapshots/ID`: the state, with ranges;
 * - `GET snapshots/ID/meta` and `/blocks`: the exact bytes of `meta.json` and
 *   `blocks.crc64`;
 * - `GET snapshots/ID/archive`: an archive as Consul, Nomad and Vault have them.
 *
 * @module
 */

/**
 * The strong validator of some bytes: it names the snapshot, and has the CRC-64
 * of the bytes. So a client notices an answer that was truncated or damaged.
 */
export function etagOf(name: string, crc: bigint): string {
  return `"${name}-${crc.toString(16).padStart(16, "0")}"`;
}

/** The name in the validator of the list. */
export const LIST_NAME = "snapshots";

/** The media type of a problem (RFC 9457). */
export const PROBLEM_TYPE = "application/problem+json";

/** The member `code` of a problem, for programs. */
export type ProblemCode =
  | "unauthorized"
  | "method-not-allowed"
  | "not-found"
  | "snapshot-not-found"
  | "blocks-not-found"
  | "precondition-failed"
  | "range-not-satisfiable"
  | "snapshot-corrupt"
  | "snapshot-unreadable"
  | "snapshot-unsupported"
  | "busy"
  | "unavailable"
  | "internal";

/** A problem, as JSON (RFC 9457). */
export interface Problem {
  /** The problem in words, for people. */
  readonly title: string;
  /** The status of the answer. */
  readonly status: number;
  /** The kind of problem, for programs. */
  readonly code: ProblemCode;
  /** The snapshot that it is about. */
  readonly id?: string | undefined;
  /** Where its state is corrupt: the first byte of the bad block. */
  readonly offset?: number | undefined;
}

/** The list of snapshots, as JSON. */
export interface SnapshotListing {
  /** Newest first. */
  readonly snapshots: readonly { readonly id: string }[];
}
