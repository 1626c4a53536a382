/**
 * Makes the client of a bucket from the options of a store.
 *
 * @module
 */

import { resolveRetryOptions, type RetryOptions } from "../../net/retry.ts";
import { S3Client } from "./client/client.ts";
import { KeyRing } from "./credentials.ts";
import { resolveEndpoint } from "./endpoint.ts";
import type { S3Location } from "./location.ts";
import { resolveS3Options, type S3BackendOptions } from "./options.ts";

/**
 * The client; no request is made.
 *
 * @throws {TypeError} when an option is wrong.
 * @throws {RangeError} when an option is out of its bounds.
 */
export function makeClient(
  { bucket }: S3Location,
  options: S3BackendOptions,
  { clock = Date.now, retry }: {
    /** The time in milliseconds since 1970, for the end of keys. */
    readonly clock?: () => number;
    readonly retry?: RetryOptions | undefined;
  } = {},
): S3Client {
  const { fetch, stallTimeoutMs } = resolveS3Options(options);
  return new S3Client({
    endpoint: resolveEndpoint(bucket, options),
    keys: new KeyRing(options.credentials, clock),
    fetch,
    stallTimeoutMs,
    retry: resolveRetryOptions(retry),
  });
}
