/**
 * How thorough the tests that break things are: a sample in `deno task test`,
 * everything in `deno task test:crash`.
 *
 * @module
 */

import { appendFileSync } from "node:fs";
import process from "node:process";

/** Whether this is the full run. */
export const isFullRun: boolean = process.env["FULL_RUN"] !== undefined;

/**
 * How much of the ordinary sample is tried: all of it on one runtime, less on
 * the others, because they run the same code.
 */
const SHARE = Number(process.env["SAMPLE_SHARE"] ?? 1);

/** How much of something to do: in the ordinary suite, and in the full run. */
export function amount(ordinary: number, full: number): number {
  return isFullRun ? full : ordinary;
}

/** How many of something to try: in the ordinary suite, and in the full run. */
export function sample(ordinary: number, full: number): number {
  return isFullRun ? full : Math.max(1, Math.round(ordinary * SHARE));
}

/** Reports how much was done; the full run adds it all up. */
export function report(what: string, count: number): void {
  const path = process.env["FIGURES"];
  if (path) appendFileSync(path, `${JSON.stringify({ what, count })}\n`);
}
