/**
 * How much memory a transfer takes, whatever the size of the state.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import process from "node:process";
import { amount } from "../support/full_run.ts";
import { isRealServer } from "../support/s3/bucket.ts";
import { runtime } from "../support/runtime.ts";

const script = new URL("./transfer.ts", import.meta.url);
const skip = isRealServer ? false : "there is no real server";

/**
 * The runtime itself, a few parts and blocks, and garbage that is not collected
 * yet, which is more on a busy machine.
 */
const PEAK_MIB_MAX = 384;

/** The most memory of a process that moves a state. */
async function peakOf(
  what: "put" | "get",
  location: string,
  sizeMiB: number,
): Promise<number> {
  const args = [what, `${location}/${sizeMiB}`, String(sizeMiB)];
  const { code, stdout, stderr } = await runtime.runScript(script, args);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { peakMiB: number }).peakMiB;
}

/** The size of the larger of two states. */
const SIZE_MIB = amount(256, 4096);

describe("the memory of a process that moves a state", () => {
  it(`is bounded for states of up to ${SIZE_MIB} MiB`, {
    skip,
  }, async () => {
    const location = `s3://bucket/memory-${process.pid}-${Date.now()}`;
    for (const what of ["put", "get"] as const) {
      for (const size of [64, SIZE_MIB]) {
        const peak = await peakOf(what, location, size);
        console.log(`${what} of ${size} MiB: ${peak.toFixed(0)} MiB`);
        assert.ok(peak < PEAK_MIB_MAX, `${what} of ${size} MiB: ${peak} MiB`);
      }
    }
  });
});
