/**
 * The environment of the process.
 *
 * @module
 */

import { deno, isPermitted } from "./deno.ts";

/**
 * A variable; `undefined` when it is not set, empty, or may not be read, and
 * where there is no process, as in a browser.
 */
export function environmentVariable(name: string): string | undefined {
  // In a terminal Deno would stop the program and ask.
  if (deno !== undefined && !isPermitted({ name: "env", variable: name })) {
    return undefined;
  }
  const { process } = globalThis as {
    readonly process?: {
      readonly env?: Readonly<Record<string, string | undefined>>;
    };
  };
  return process?.env?.[name] || undefined;
}
