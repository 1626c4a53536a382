/**
 * Makes texts of other programs safe for messages and terminals.
 *
 * @module
 */

import { unnamedCode, withCauses } from "./system_code.ts";

/**
 * Characters that move the cursor, change colours, end a line or turn the text
 * around (`Cc`, `Cf`, `Zl`, `Zp`), that have no width (`DI`: zero-width spaces,
 * fillers, variation selectors, tags), and surrogates without their other half,
 * which become U+FFFD in UTF-8 (`Cs`).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/**
 * Makes a text from outside, such as the ID of a server, safe for a terminal or
 * a log. Characters that steer a terminal, end a line, turn text around or
 * can't be seen are shown as `\u001b`, those beyond U+FFFF as two such escapes.
 * In a JSON text the result is the same JSON, on one line. A second call
 * changes nothing. The log lines of this library are printable already.
 *
 * @example Print the servers of a snapshot
 * ```ts
 * import { printable } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * assert.equal(printable("node-1\x1b[2J"), String.raw`node-1\u001b[2J`);
 * ```
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeUnits);
}

function escapeUnits(character: string): string {
  return character.split("").map((unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  ).join("");
}

/** The message of a thrown value, which may not even be convertible to text. */
export function describe(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message : String(error);
    // Otherwise a person would read "unknown error".
    const code = unnamedCode(error);
    return code === undefined ? text : `${text} (${code})`;
  } catch {
    return Object.prototype.toString.call(error);
  }
}

/** How many errors of a chain of causes are described. */
const CAUSES_SHOWN_MAX = 3;

/**
 * The messages of an error and of its causes, as far as they say more: Node's
 * `fetch` has the reason in its cause.
 */
export function describeWithCauses(error: unknown): string {
  const texts: string[] = [];
  for (const each of withCauses(error)) {
    const isShown = texts.length === 0 || each instanceof Error;
    if (!isShown || texts.length === CAUSES_SHOWN_MAX) break;
    const text = describe(each);
    const isNew = text !== "" && !texts.some((nearer) => nearer.includes(text));
    if (isNew) texts.push(text);
  }
  return texts.length === 0 ? describe(error) : texts.join(": ");
}

/** A CRC-64 as 16 hexadecimal digits. */
export function formatCrc(crc: bigint): string {
  return crc.toString(16).padStart(16, "0");
}

/** The text, or its beginning: a text from a disk may be of any length. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

/** The text in quotes, not too long, and printable. */
export function quote(text: string): string {
  return printable(JSON.stringify(shorten(text)));
}

/**
 * An address in quotes, without the parts that secrets may be in: the user and
 * password, and the query.
 */
export function quoteAddress(address: string): string {
  // A password may have a question mark in it, and a query an @.
  if (/[?#].*@/s.test(address)) {
    return quote(`${/^[a-z0-9+.-]*:\/\//i.exec(address)?.[0] ?? ""}...`);
  }
  return quote(
    address.replace(/^.*@/s, "...@").replace(/[?#].*$/s, "?..."),
  );
}
