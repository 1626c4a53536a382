/**
 * Recognizes URLs of any realm.
 *
 * @module
 */

/**
 * Whether a value is a URL, also of another realm or of another implementation,
 * such as that of jsdom, for which `instanceof` is false. Node's own functions
 * recognize URLs in this way.
 */
export function isUrl(value: unknown): value is URL {
  if (typeof value !== "object" || value === null) return false;
  const { href, protocol } = value as { href?: unknown; protocol?: unknown };
  return typeof href === "string" && typeof protocol === "string";
}
