/**
 * The parts that the files of this folder share.
 *
 * @module
 */

import type { BackendHost } from "../../backend/backend.ts";
import type { Catalog, FoundSnapshot } from "./catalog.ts";
import type { S3Client } from "./client/client.ts";
import type { KeySpace } from "./names.ts";
import type { ResolvedS3Options } from "./options.ts";

/** A bucket, and how it is used. */
export interface BucketParts {
  readonly client: S3Client;
  readonly keys: KeySpace;
  readonly catalog: Catalog;
  readonly options: ResolvedS3Options;
  /** Where to report. */
  readonly report: BackendHost["report"];
}

/**
 * Whether something is at least so old, by the server's clock. Its listings tell
 * the time more exactly than its answers, so that nothing is ever younger than
 * 0 ms.
 */
export function isOlder(
  { client }: Pick<BucketParts, "client">,
  since: number,
  ageMs: number,
): boolean {
  return ageMs === 0 || client.serverTime - since >= ageMs;
}

/**
 * Whether a snapshot that was removed keeps its bytes as it should, for readers of
 * other processes.
 */
export function isInGrace(
  parts: Pick<BucketParts, "client" | "options">,
  found: FoundSnapshot,
): boolean {
  const since = found.part("deleted")?.modified;
  return since !== undefined && !found.part("meta.json") &&
    !isOlder(parts, since, parts.options.graceMs);
}
