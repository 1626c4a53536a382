/**
 * The addresses of buckets and objects.
 *
 * @module
 */

import { environmentVariable } from "../../runtime/environment.ts";
import { quote, quoteAddress } from "../../text.ts";

/** How a bucket is reached. */
export interface EndpointOptions {
  /**
   * The server, such as `"https://minio.example:9000"`.
   *
   * @default {AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or that of AWS}
   */
  readonly endpoint?: string | URL | undefined;
  /** The bucket's region. @default {AWS_REGION, AWS_DEFAULT_REGION, or "us-east-1"} */
  readonly region?: string | undefined;
  /**
   * Whether the bucket is in the path of a URL (`https://host/bucket/key`) and
   * not in the host (`https://bucket.host/key`).
   *
   * @default {true, but of AWS itself false}
   */
  readonly pathStyle?: boolean | undefined;
}

/** Where requests go. */
export interface ResolvedEndpoint {
  /** The URL of the bucket, with a slash at its end. */
  readonly bucketUrl: string;
  /** The region that signatures are for. */
  readonly region: string;
}

/**
 * Finds the address of a bucket.
 *
 * @throws {TypeError} when the endpoint or region can't be one.
 */
export function resolveEndpoint(
  bucket: string,
  options: EndpointOptions,
): ResolvedEndpoint {
  const region = requireRegion(
    options.region ?? environmentVariable("AWS_REGION") ??
      environmentVariable("AWS_DEFAULT_REGION") ?? "us-east-1",
  );
  const custom = options.endpoint ??
    environmentVariable("AWS_ENDPOINT_URL_S3") ??
    environmentVariable("AWS_ENDPOINT_URL");
  const domain = region.startsWith("cn-")
    ? "amazonaws.com.cn"
    : "amazonaws.com";
  const url = requireEndpoint(custom ?? `https://s3.${region}.${domain}`);
  // The certificate of AWS does not cover further dots, and a host's name has no
  // upper case: the request would be for another bucket.
  const pathStyle = options.pathStyle ??
    (custom !== undefined || !/^[a-z0-9-]+$/.test(bucket));
  const path = url.pathname.replace(/\/$/, "");
  const bucketUrl = pathStyle
    ? `${url.protocol}//${url.host}${path}/${bucket}/`
    : `${url.protocol}//${bucket}.${url.host}${path}/`;
  if (pathStyle || isHost(bucketUrl, `${bucket}.${url.hostname}`)) {
    return { bucketUrl, region };
  }
  throw new TypeError(
    `Cannot use the option pathStyle: found false, with the bucket ${
      quote(bucket)
    } of ${
      quote(url.host)
    }, expected true, because the bucket can't be a part ` +
      "of that host's name",
  );
}

/** Whether a URL has that host, letter by letter. */
function isHost(url: string, hostname: string): boolean {
  try {
    return new URL(url).hostname === hostname;
  } catch {
    return false;
  }
}

/** A key as a part of a URL's path. */
export function encodeKey(key: string): string {
  return key.split("/").map((name) =>
    encodeURIComponent(name).replace(
      /[!'()*]/g,
      (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  ).join("/");
}

function requireRegion(region: string): string {
  if (/^[A-Za-z0-9-]{1,64}$/.test(region)) return region;
  throw new TypeError(
    `Cannot use the option region: found ${quote(String(region))}, ` +
      "expected letters, digits and hyphens",
  );
}

function requireEndpoint(endpoint: string | URL): URL {
  const expected = "expected a URL such as https://host:9000, without a " +
    "bucket, a query or a user";
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    const found = quoteAddress(String(endpoint));
    throw new TypeError(
      `Cannot use the option endpoint: found ${found}, ${expected}`,
    );
  }
  const isHttp = /^https?:$/.test(url.protocol);
  // Not shown: it may hold a password.
  const isPlain = url.username + url.password + url.search + url.hash === "";
  if (isHttp && isPlain) return url;
  throw new TypeError(
    `Cannot use the option endpoint: found ${quote(url.protocol)} at ` +
      `${quote(url.host)}, ${expected}`,
  );
}
