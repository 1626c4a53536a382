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

/** What parts, blocks and a garbage collector that lags behind may add. */
const SLACK_MIB = 96;

describe("the memory of a process that moves a state", () => {
  it(
    `does not grow with the state, up to ${amount(512, 4096)} MiB`,
    { skip },
    async () => {
      const location = `s3://bucket/memory-${process.pid}-${Date.now()}`;
      const peakOf = async (what: "put" | "get", sizeMiB: number) => {
        const args = [what, `${location}/${sizeMiB}`, String(sizeMiB)];
        const { code, stdout, stderr } = await runtime.runScript(script, args);
        assert.equal(code, 0, stderr);
        return (JSON.parse(stdout) as { peakMiB: number }).peakMiB;
      };
      for (const what of ["put", "get"] as const) {
        const small = await peakOf(what, 64);
        const large = await peakOf(what, amount(512, 4096));
        console.log(`${what}: ${small.toFixed(0)} and ${large.toFixed(0)} MiB`);
        assert.ok(
          large < small + SLACK_MIB,
          `${what}: ${small} and ${large} MiB`,
        );
      }
    },
  );
});
