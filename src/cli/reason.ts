/** The reason of an error, in words for the terminal. */

import { printable, systemCode } from "../../mod.ts";

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBADF: "closed",
  EISDIR: "is a directory",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EPERM: "permission denied",
};

/** The system's reason in words, or its own message with its code. */
export function systemReason(error: unknown): string {
  const code = systemCode(error);
  const known = SYSTEM_REASONS[code ?? ""];
  if (known !== undefined) return known;
  const message = messageOf(error);
  // Node and Deno have only a number for some codes, such as EDQUOT.
  return code === undefined || message.includes(code)
    ? message
    : `${message} (${code})`;
}

/** An error's message on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.replace(/\s*\n\s*/g, " ").trim());
}
