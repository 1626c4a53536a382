/**
 * The options of the place behind HTTP.
 *
 * @module
 */

import type { OptionNames } from "../../option_names.ts";
import { requireMs, requireType } from "../../backend/options.ts";
import type { Fetch } from "../../net/exchange.ts";
import {
  type ResolvedRetryOptions,
  resolveRetryOptions,
  type RetryOptions,
} from "../../net/retry.ts";
import { defaultFetch } from "../../runtime/default_fetch.ts";
import { requireMaxSize } from "../../snapshot/max_size.ts";
import { quoteAddress } from "../../text.ts";

/** Options of the snapshots that a server has. */
export interface HttpBackendOptions {
  /** Headers of each request, such as `authorization`. @default {none} */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  /**
   * Makes the requests. @default {the global `fetch`; on Node, `node:http`}
   */
  readonly fetch?: Fetch | undefined;
  /**
   * Milliseconds without a byte after which a connection is given up, and
   * another one made. @default {15,000}
   */
  readonly stallTimeoutMs?: number | undefined;
  /** How calls are tried again. @default {for a minute without progress} */
  readonly retry?: RetryOptions | undefined;
  /**
   * The largest state to open, in bytes; a larger one is refused before a byte
   * of it is asked for. @default {no limit}
   */
  readonly maxSize?: number | undefined;
}

/** Their names. */
export const HTTP_BACKEND_OPTIONS: OptionNames<HttpBackendOptions> = {
  headers: true,
  fetch: true,
  stallTimeoutMs: true,
  retry: true,
  maxSize: true,
};

/** The options with every default filled in. */
export interface ResolvedHttpOptions {
  readonly headers: Headers;
  readonly fetch: Fetch;
  readonly stallMs: number;
  readonly retry: ResolvedRetryOptions;
  readonly maxSize: number;
}

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when a number is out of its bounds.
 */
export function resolveHttpOptions(
  options: HttpBackendOptions,
): ResolvedHttpOptions {
  const { stallTimeoutMs = 15_000 } = options;
  return {
    headers: requireHeaders(options.headers),
    fetch: requireType("fetch", options.fetch ?? defaultFetch, "function"),
    stallMs: requireMs("stallTimeoutMs", stallTimeoutMs),
    retry: resolveRetryOptions(options.retry),
    maxSize: requireMaxSize(options.maxSize),
  };
}

/** A copy. The error has no cause, because that would show a secret. */
function requireHeaders(headers: HttpBackendOptions["headers"]): Headers {
  try {
    return new Headers(headers);
  } catch {
    throw new TypeError(
      "Cannot use the option headers: found a name or a value that HTTP does " +
        "not allow, such as one with a line end",
    );
  }
}

/**
 * The address of a server as the prefix of its paths.
 *
 * @throws {TypeError} when it is not a URL of HTTP, or has more in it than a
 * path.
 */
export function requireServerUrl(url: string | URL): string {
  let parsed;
  try {
    parsed = new URL(url);
  } catch {
    // Without the runtime's error, which shows a password in the address.
    throw new TypeError(
      `Cannot use the address of the server: found ${
        quoteAddress(String(url))
      }, ` +
        "expected a URL such as http://10.0.0.1:8300",
    );
  }
  const { protocol, username, password, origin, pathname, search, hash } =
    parsed;
  if (!/^https?:$/.test(protocol)) {
    throw new TypeError(
      `Cannot use the address of the server: found ${protocol}, ` +
        "expected http: or https:",
    );
  }
  if (username !== "" || password !== "") {
    throw new TypeError(
      "Cannot use the address of the server: found a user name or password; " +
        "pass them in the option headers",
    );
  }
  if (search !== "" || hash !== "") {
    throw new TypeError(
      "Cannot use the address of the server: found a query or fragment, " +
        "expected the address before the path snapshots/",
    );
  }
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}
