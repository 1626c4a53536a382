/**
 * Makes the failure of a request from its answer, or from the error of `fetch`.
 *
 * @module
 */

import { describeNetwork } from "../../../net/network_error.ts";
import { retryAfterMs } from "../../../net/status.ts";
import type { S3Answer } from "./answer.ts";
import { S3Failure } from "./failure.ts";
import { isPlain, parse, readCode } from "./xml.ts";

/** The failure that an answer tells of. */
export function readFailure(
  { headers, text, quote }: S3Answer,
  { status, method }: { readonly status: number; readonly method: string },
): S3Failure {
  const root = parse(text, quote);
  const code = root?.name === "Error"
    ? readCode(root)
    // An answer without a body can't have one.
    : status === 404 && (method === "HEAD" || text === "")
    ? "NotFound"
    : undefined;
  const said = root?.name === "Error" ? root.text("Message") : text;
  const region = headers.get("x-amz-bucket-region") ?? root?.text("Region") ??
    "";
  const isShown = /^[a-z0-9-]{1,64}$/.test(region) && isPlain(region, quote);
  return new S3Failure({
    status,
    code,
    text:
      `the server answered ${status}${code === undefined ? "" : ` ${code}`}` +
      (said ? `, ${quote(said)}` : ""),
    retryAfterMs: retryAfterMs(headers),
    // Other errors do not need the region.
    region: isShown && isOfRegion(status, code) ? region : undefined,
  });
}

function isOfRegion(status: number, code: string | undefined): boolean {
  return status >= 300 && status < 400 ||
    code === "AuthorizationHeaderMalformed" ||
    code === "IllegalLocationConstraintException";
}

/** The failure of a request that got no answer, or not all of one. */
export function networkFailure(cause: unknown): S3Failure {
  return new S3Failure({ status: 0, text: describeNetwork(cause), cause });
}
