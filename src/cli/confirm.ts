/** Asks on the terminal before something is removed. */

import process from "node:process";
import { InvalidArgumentError } from "commander";

/**
 * Asks, and resolves to whether the answer is yes; `what` ends "Cannot ask
 * whether to".
 *
 * @throws {InvalidArgumentError} when there is no terminal to ask on.
 */
export async function confirm(
  question: string,
  { what, without }: { readonly what: string; readonly without: string },
): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new InvalidArgumentError(
      `Cannot ask whether to ${what}: stdin is not a terminal; ${without} ` +
        "without --yes",
    );
  }
  process.stderr.write(`${question} [y/N] `);
  for await (const line of process.stdin) {
    return /^\s*y(es)?\s*$/i.test(String(line));
  }
  return false;
}
