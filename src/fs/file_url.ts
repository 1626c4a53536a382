/**
 * Directories that are named by a `file:` URL, as `import.meta.resolve()` gives
 * them: as a `URL`, or as the text of one.
 *
 * @module
 */

import { describe, quote, quoteAddress } from "../text.ts";
import { isUrl } from "../url.ts";

/** A text that begins so is an address, and never a path by intention. */
const URL_START = /^(file:|[a-z][a-z0-9+.-]+:\/\/)/i;

/** Which kinds of address other parts of this library open. */
const OPENED_BY: Readonly<Record<string, string>> = {
  s3: " (buckets are opened by @raft/snapshots/s3 and /archive)",
  http: " (servers are opened by @raft/snapshots/http)",
  https: " (servers are opened by @raft/snapshots/http)",
};

/**
 * A directory by the name that the caller gave.
 *
 * @throws {TypeError} when there is no name, or {@linkcode fileUrlOf} refuses it.
 */
export function requireDirectory(directory: string | URL): string | URL {
  // The empty path would be the working directory: most likely an unset
  // variable.
  if (directory === "") {
    throw new TypeError(
      "Cannot use the name of a directory: found an empty text, expected a path",
    );
  }
  return fileUrlOf(directory) ?? directory;
}

/**
 * The URL that `path` is; `undefined` for a path. A text is a URL when it
 * begins with `file:`, or with another scheme and `//`. As a path it would be a
 * directory of that name in the working directory, and so another one after the
 * working directory has changed.
 *
 * @throws {TypeError} when `path` is neither, or is a URL that is not the exact
 * name of a file of this machine.
 */
export function fileUrlOf(path: string | URL): URL | undefined {
  if (typeof path === "string" && !URL_START.test(path)) return undefined;
  if (typeof path !== "string" && !isUrl(path)) {
    const found = path === null ? "null" : typeof path;
    throw new TypeError(
      `Cannot use the name of a directory: found ${found}, expected a path or ` +
        "a file: URL",
    );
  }
  const problem = problemOf(String(path));
  if (problem === undefined) return new URL(String(path));
  throw new TypeError(
    `Cannot use ${show(String(path))} as the name of a directory: found ` +
      `${problem}, expected a path, or the file: URL of an absolute one`,
  );
}

/** An address of a server may have secrets in it. */
function show(text: string): string {
  return /^file:/i.test(text) ? quote(text) : quoteAddress(text);
}

/** Why a text is not the URL of a file; `undefined` for the URL of a file. */
function problemOf(text: string): string | undefined {
  // `new URL()` would take file:data for the directory data of the root.
  if (/^file:(?!\/)/i.test(text)) return "a relative URL";
  try {
    const { protocol, host, pathname, search, hash } = new URL(text);
    if (protocol !== "file:") {
      const hint = OPENED_BY[protocol.slice(0, -1)] ?? "";
      return `a URL of the kind ${protocol}${hint}`;
    }
    if (host !== "") return `the host ${host}`;
    // These parts do not belong to the name, so the directory would be another
    // one.
    if (search !== "") return "a query (write ? as %3F)";
    if (hash !== "") return "a fragment (write # as %23)";
    if (/%(2f|00)/i.test(pathname)) return "an encoded slash or zero byte";
    decodeURIComponent(pathname);
    return undefined;
  } catch (error) {
    // The runtime's error shows the whole address.
    const isOfFile = /^file:/i.test(text);
    return `an invalid URL${isOfFile ? ` (${describe(error)})` : ""}`;
  }
}
