/**
 * Texts that others have chosen, fit for messages and terminals.
 *
 * @module
 */

/** What would move the cursor, change colours or turn the text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with those characters shown as `\u001b`. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** What was thrown, in words: which may be anything, also without a text. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return Object.prototype.toString.call(error);
  }
}

/** The text, or its beginning: what comes from a disk may be of any length. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

/** The text in quotes, not too long, and printable. */
export function quote(text: string): string {
  return printable(JSON.stringify(shorten(text)));
}
