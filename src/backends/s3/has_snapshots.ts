/**
 * Whether a place in a bucket is that of a store of snapshots.
 *
 * @module
 */

import type { RetryOptions } from "../../net/retry.ts";
import { type OptionNames, requireKnown } from "../../option_names.ts";
import { toAccessError } from "./client/failure.ts";
import { hasObjects } from "./client/listing.ts";
import { formatLocation, parseLocation } from "./location.ts";
import { makeClient } from "./make_client.ts";
import { KeySpace } from "./names.ts";
import { S3_BACKEND_OPTIONS, type S3BackendOptions } from "./options.ts";

/** Options of {@linkcode hasS3Snapshots}. */
export interface HasS3SnapshotsOptions extends S3BackendOptions {
  /** How often to ask a server that does not answer. @default {for a minute} */
  readonly retry?: RetryOptions | undefined;
}

const OPTIONS: OptionNames<HasS3SnapshotsOptions> = {
  ...S3_BACKEND_OPTIONS,
  retry: true,
};

/**
 * Whether there is anything at `s3://bucket/prefix` that a store of snapshots
 * has put there. One request, however many there are.
 *
 * @throws {StoreAccessError} when the bucket can't be used.
 * @throws {TypeError} when the location or an option is wrong.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function hasS3Snapshots(
  location: string | URL,
  options: HasS3SnapshotsOptions = {},
): Promise<boolean> {
  requireKnown(options, OPTIONS);
  const parsed = parseLocation(location);
  const client = makeClient(parsed, options, { retry: options.retry });
  try {
    return await hasObjects(client, new KeySpace(parsed).root);
  } catch (error) {
    throw toAccessError(`look at ${formatLocation(parsed)}`, error);
  }
}
