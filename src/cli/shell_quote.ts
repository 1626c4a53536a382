/** Paths in the commands that messages advise to run. */

import { printable } from "../../mod.ts";

/** A path as one word of a POSIX shell, in quotes where it needs them. */
export function shellQuote(path: string): string {
  // An option begins with a dash.
  const word = path.startsWith("-") ? `./${path}` : path;
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (word === printable(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  // bash, ksh and zsh read the escapes that printable() writes.
  return `$'${printable(word.replace(/[\\']/g, "\\$&"))}'`;
}
