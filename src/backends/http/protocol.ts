/**
 * What a snapshot server and its clients agree on:
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
 * of the bytes. So an answer of which a part got lost or was damaged shows.
 */
export function etagOf(name: string, crc: bigint): string {
  return `"${name}-${crc.toString(16).padStart(16, "0")}"`;
}

/** The name in the validator of the list. */
export const LIST_NAME = "snapshots";

/** The media type of a problem (RFC 9457). */
export const PROBLEM_TYPE = "application/problem+json";

/** What a problem is, for programs: its member `code`. */
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
  /** What it is, for people. */
  readonly title: string;
  /** The status of the answer. */
  readonly status: number;
  /** What it is, for programs. */
  readonly code: ProblemCode;
  /** The snapshot that it is about. */
  readonly id?: string | undefined;
}

/** The list of snapshots, as JSON. */
export interface SnapshotListing {
  /** Newest first. */
  readonly snapshots: readonly { readonly id: string }[];
}
