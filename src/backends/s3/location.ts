/**
 * Where a store is in object storage: a bucket, and a prefix of its keys.
 *
 * @module
 */

import { quote, quoteAddress } from "../../text.ts";
import { isUrl } from "../../url.ts";

/** A bucket, and the prefix of a store's keys in it. */
export interface S3Location {
  /** The bucket's name. */
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

/**
 * The names that AWS allows, and the upper case and underscores of other
 * servers.
 */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

/** A key has at most 1,024 bytes; a store needs some 100 of them. */
const PREFIX_BYTES_MAX = 900;

/** Control characters, and halves of surrogate pairs, which UTF-8 lacks. */
// deno-lint-ignore no-control-regex
const UNUSABLE = /[\u0000-\u001f\u007f]|\p{Cs}/u;

/**
 * Reads `s3://bucket/prefix`. The prefix is not decoded: `%20` in it is three
 * characters.
 *
 * @throws {TypeError} when the location has another form.
 */
export function parseLocation(location: string | URL): S3Location {
  // A URL has encoded the prefix.
  const text = isUrl(location) ? decodeUrl(location) : location;
  if (typeof text !== "string") {
    throw refusal(typeof text, "a text such as s3://bucket/prefix");
  }
  const match = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text);
  if (match === null) throw refusal(quoteAddress(text), "s3://bucket/prefix");
  const [, bucket = "", rest = ""] = match;
  if (!BUCKET.test(bucket) || bucket.includes("..")) {
    throw refusal(
      quoteAddress(text),
      "s3://bucket/prefix with a bucket of 3 to 63 letters, digits, dots and " +
        "hyphens",
    );
  }
  return { bucket, prefix: requirePrefix(rest.replace(/\/$/, "")) };
}

/** `s3://bucket/prefix`, for messages. */
export function formatLocation({ bucket, prefix }: S3Location): string {
  return `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
}

function requirePrefix(prefix: string): string {
  if (UNUSABLE.test(prefix)) {
    throw refusal(`the prefix ${quote(prefix)}`, "no control characters");
  }
  const length = new TextEncoder().encode(prefix).length;
  if (length > PREFIX_BYTES_MAX) {
    throw refusal(
      `a prefix of ${length} bytes`,
      `at most ${PREFIX_BYTES_MAX}, because a key has at most 1024`,
    );
  }
  // URLs lose the first two on their way, and tools that copy a bucket to a
  // directory would write outside it; they also drop empty names.
  const odd = prefix === ""
    ? undefined
    : prefix.split("/").find((name) => ["", ".", ".."].includes(name));
  if (odd === undefined) return prefix;
  throw refusal(
    `${quote(odd)} in the prefix ${quote(prefix)}`,
    "names between its slashes that are not empty, . or ..",
  );
}

function decodeUrl(url: URL): string {
  try {
    return decodeURIComponent(url.href);
  } catch {
    throw refusal(quoteAddress(url.href), "a URL that can be decoded");
  }
}

function refusal(found: string, expected: string): TypeError {
  return new TypeError(
    `Cannot open a store in object storage: found ${found}, expected ${expected}`,
  );
}
