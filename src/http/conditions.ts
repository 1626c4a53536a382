/**
 * Conditional and range requests (RFC 9110, sections 13 and 14), for
 * representations that have a validator and no date.
 *
 * @module
 */

import type { ByteRange } from "../snapshot/open_options.ts";

/** The requested resource in its present form. */
export interface Representation {
  /** Its validator, strong or weak. */
  readonly etag: string;
  /** Its length in bytes; ranges need it. */
  readonly size?: number | undefined;
}

/** How a request is to be answered. */
export type Plan =
  | { readonly status: 200 }
  | { readonly status: 206; readonly range: ByteRange }
  | { readonly status: 304 | 412 | 416 };

/** Decides in the order of RFC 9110, section 13.2.2. */
export function planAnswer(
  { method, headers }: Pick<Request, "method" | "headers">,
  { etag, size }: Representation,
): Plan {
  const ifMatch = headers.get("if-match");
  // This comparison is strong: a weak validator matches nothing.
  const strong = isWeak(etag) ? undefined : etag;
  if (ifMatch !== null && !matches(ifMatch, strong)) return { status: 412 };
  const ifNoneMatch = headers.get("if-none-match");
  // This one is weak: a weak form of the same validator matches, too.
  if (ifNoneMatch !== null && matches(opaque(ifNoneMatch), opaque(etag))) {
    return { status: 304 };
  }
  const range = headers.get("range");
  // Ranges are defined for GET alone.
  if (range === null || method !== "GET" || size === undefined) {
    return { status: 200 };
  }
  const ifRange = headers.get("if-range");
  if (ifRange !== null && ifRange.trim() !== etag) return { status: 200 };
  return planRange(range, size);
}

/** Whether a validator promises only the same meaning, not the same bytes. */
function isWeak(etag: string): boolean {
  return etag.startsWith("W/");
}

/** A validator, or a list of validators, without the marks of weak ones. */
function opaque(etags: string): string {
  return etags.replaceAll("W/", "");
}

/** Whether a list of validators has this one; `*` stands for any. */
function matches(list: string, etag: string | undefined): boolean {
  return list.split(",").map((each) => each.trim())
    .some((each) => each === "*" || each === etag);
}

/**
 * One range is answered. A header that is not understood is ignored, and so are
 * several ranges, as section 14.2 allows.
 */
function planRange(header: string, size: number): Plan {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header.trim());
  if (match === null) return { status: 200 };
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return { status: 200 };
  // The last bytes of nothing are nothing, and no `Content-Range` can say that.
  if (first === "" && size === 0 && Number(last) > 0) return { status: 200 };
  const range = first === ""
    ? { start: Math.max(size - Number(last), 0), end: size }
    : {
      start: Number(first),
      end: last === "" ? size : Math.min(Number(last) + 1, size),
    };
  if (first !== "" && last !== "" && Number(last) < Number(first)) {
    return { status: 200 };
  }
  return range.start < range.end ? { status: 206, range } : { status: 416 };
}
