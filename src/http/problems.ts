/**
 * Turns errors into answers, without the server's paths, addresses and codes of
 * the system.
 *
 * @module
 */

import {
  type Problem,
  PROBLEM_TYPE,
  type ProblemCode,
} from "../backends/http/protocol.ts";
import type { SnapshotErrorCode } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";

/** Seconds after which a client may try again. */
const RETRY_AFTER = { "retry-after": "1" };

const PROBLEMS: Readonly<
  Record<
    ProblemCode,
    readonly [number, string, Readonly<Record<string, string>>?]
  >
> = {
  "unauthorized": [401, "The request is not authorized.", {
    "www-authenticate": "Bearer",
  }],
  "method-not-allowed": [405, "Snapshots can only be read.", {
    "allow": "GET, HEAD",
  }],
  "not-found": [404, "There is nothing at this path."],
  "snapshot-not-found": [404, "There is no snapshot of this ID."],
  "blocks-not-found": [404, "The snapshot has no block checksums."],
  "precondition-failed": [412, "The snapshot is not the expected one."],
  "range-not-satisfiable": [416, "The range is not in the state."],
  "snapshot-corrupt": [500, "The snapshot is corrupt."],
  "snapshot-unreadable": [500, "The snapshot can't be read."],
  "snapshot-unsupported": [500, "The snapshot's version is not supported."],
  "busy": [503, "Too many snapshots are being sent.", RETRY_AFTER],
  "unavailable": [503, "The store can't be read now.", RETRY_AFTER],
  "internal": [500, "The server has failed."],
};

/** An answer that describes a problem. */
export function problem(
  code: ProblemCode,
  { id, offset, headers }: {
    readonly id?: string | undefined;
    readonly offset?: number | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Response {
  const [status, title, own] = PROBLEMS[code];
  const content: Problem = { title, status, code, id, offset };
  return new Response(`${JSON.stringify(content)}\n`, {
    status,
    headers: {
      ...own,
      ...headers,
      "content-type": PROBLEM_TYPE,
      "cache-control": "no-store",
    },
  });
}

const CODES: Partial<Readonly<Record<SnapshotErrorCode, ProblemCode>>> = {
  ERR_SNAPSHOT_NOT_FOUND: "snapshot-not-found",
  ERR_SNAPSHOT_ID_INVALID: "snapshot-not-found",
  ERR_SNAPSHOT_CORRUPT: "snapshot-corrupt",
  ERR_SNAPSHOT_UNREADABLE: "snapshot-unreadable",
  ERR_SNAPSHOT_VERSION_UNSUPPORTED: "snapshot-unsupported",
  ERR_STORE_ACCESS: "unavailable",
  ERR_STORE_CLOSED: "unavailable",
};

/**
 * The problem's code for an error of the store, from any copy of the package.
 */
export function codeOf(error: unknown): ProblemCode {
  if (!isSnapshotError(error)) return "internal";
  return CODES[error.code] ?? "internal";
}
