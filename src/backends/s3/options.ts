/**
 * The options of object storage as a place for snapshots.
 *
 * @module
 */

import type { OptionNames } from "../../option_names.ts";
import {
  requireInteger,
  requireMs,
  requireOneOf,
  requireType,
} from "../../backend/options.ts";
import type { Fetch } from "../../net/exchange.ts";
import { defaultFetch } from "../../runtime/default_fetch.ts";
import { quote } from "../../text.ts";
import type { Checksum } from "./client/multipart.ts";
import type { ConditionalWrites } from "./client/objects.ts";
import type { S3CredentialsSource } from "./credentials.ts";
import type { EndpointOptions } from "./endpoint.ts";

/** Options of a bucket that snapshots are kept in. */
export interface S3BackendOptions extends EndpointOptions {
  /**
   * The keys, or a function that gives them, which is called again before they
   * end. The functions of `@aws-sdk/credential-providers` fit.
   *
   * @default {AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN}
   */
  readonly credentials?: S3CredentialsSource | undefined;
  /**
   * Bytes of a part of a state, from 5 MiB to 1 GiB; a state has at most 10,000
   * parts. A sink holds `concurrency + 1` of them in memory.
   *
   * @default {8 MiB, more for a state whose expected size needs it}
   */
  readonly partSize?: number | undefined;
  /** How many parts of a state are sent side by side; 1 to 16. @default {2} */
  readonly concurrency?: number | undefined;
  /**
   * The header that keeps the server from replacing an object:
   * `"x-goog-if-generation-match"` for Google, `"none"` for a server that has
   * no such condition. With `"none"`, only one process may write at a time.
   * @default {"if-none-match"}
   */
  readonly conditionalWrites?: ConditionalWrites | undefined;
  /**
   * `"sha256"` lets the server keep a SHA-256 of each object, or of each part.
   * The SHA-256 of every request is signed and checked in any case. Not all
   * servers support this option. @default {"none"}
   */
  readonly checksum?: Checksum | undefined;
  /**
   * Milliseconds without a byte after which a request is made again. An upload,
   * whose bytes can't be watched, may take that long for each MiB. A function of
   * credentials may take that long as well. @default {30_000}
   */
  readonly stallTimeoutMs?: number | undefined;
  /**
   * Whether opening removes the remains of writers that have ended; see
   * {@linkcode sweepAfterMs}. @default {true}
   */
  readonly sweep?: boolean | undefined;
  /**
   * How old the rest of an unfinished snapshot is before opening removes it, in
   * milliseconds by the server's clock: another process may be writing it.
   * @default {86_400_000} a day
   */
  readonly sweepAfterMs?: number | undefined;
  /**
   * How long other processes may rely on a snapshot, in milliseconds by the
   * server's clock: a younger one that another process has published is not
   * reaped, and one that has been removed keeps its bytes so long for their
   * readers. @default {3_600_000} an hour
   */
  readonly graceMs?: number | undefined;
  /** Headers of each object that is written, such as those of SSE or KMS. */
  readonly putHeaders?: Readonly<Record<string, string>> | undefined;
  /**
   * Makes the requests. @default {the global `fetch`; on Node, `node:http`}
   */
  readonly fetch?: Fetch | undefined;
}

/** Their names. */
export const S3_BACKEND_OPTIONS: OptionNames<S3BackendOptions> = {
  endpoint: true,
  region: true,
  pathStyle: true,
  credentials: true,
  partSize: true,
  concurrency: true,
  conditionalWrites: true,
  checksum: true,
  stallTimeoutMs: true,
  sweep: true,
  sweepAfterMs: true,
  graceMs: true,
  putHeaders: true,
  fetch: true,
};

/** The options with every default filled in. */
export interface ResolvedS3Options {
  readonly partSize: number | undefined;
  readonly concurrency: number;
  readonly conditionalWrites: ConditionalWrites;
  readonly checksum: Checksum;
  readonly stallTimeoutMs: number;
  readonly sweep: boolean;
  readonly sweepAfterMs: number;
  readonly graceMs: number;
  readonly putHeaders: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
}

const MiB = 1024 * 1024;

/** The minimum that S3 sets for every part but the last. */
export const PART_SIZE_MIN = 5 * MiB;
/** Parts are held in memory. */
export const PART_SIZE_MAX = 1024 * MiB;

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when one is out of its bounds.
 */
export function resolveS3Options(options: S3BackendOptions): ResolvedS3Options {
  const { partSize } = options;
  const conditionalWrites = options.conditionalWrites ?? "if-none-match";
  requireOneOf("conditionalWrites", conditionalWrites, [
    "if-none-match",
    "x-goog-if-generation-match",
    "none",
  ]);
  const checksum = options.checksum ?? "none";
  requireOneOf("checksum", checksum, ["none", "sha256"]);
  return {
    partSize: partSize === undefined
      ? undefined
      : requireInteger("partSize", partSize, PART_SIZE_MIN, PART_SIZE_MAX),
    concurrency: requireInteger("concurrency", options.concurrency ?? 2, 1, 16),
    conditionalWrites,
    checksum,
    stallTimeoutMs: requireMs(
      "stallTimeoutMs",
      options.stallTimeoutMs ?? 30_000,
    ),
    sweep: requireType("sweep", options.sweep ?? true, "boolean"),
    sweepAfterMs: requireMs(
      "sweepAfterMs",
      options.sweepAfterMs ?? 86_400_000,
      0,
    ),
    graceMs: requireMs("graceMs", options.graceMs ?? 3_600_000, 0),
    putHeaders: requireHeaders(options.putHeaders ?? {}),
    fetch: requireType("fetch", options.fetch ?? defaultFetch, "function"),
  };
}

/**
 * Headers that the store sets, and headers that S3 does not accept with an
 * object.
 */
const RESERVED =
  /^(host|authorization|range|if-.*|content-(length|encoding|md5)|expect|accept-encoding|transfer-encoding|x-amz-(date|content-sha256|security-token|meta-nonce|checksum-.*|copy-source.*|server-side-encryption-customer-.*)|x-goog-if-.*)$/;

function requireHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([given, value]) => {
      const name = given.toLowerCase();
      const isName = /^[a-z0-9-]{1,128}$/.test(name) && !RESERVED.test(name);
      if (isName && typeof value === "string" && /^[\x20-\x7e]*$/.test(value)) {
        return [name, value];
      }
      throw new TypeError(
        `Cannot use the option putHeaders: found ${quote(given)}, expected ` +
          "printable values of headers that the store does not set itself",
      );
    }),
  );
}
