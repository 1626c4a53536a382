/** Bytes to stdout, all of them, at the reader's pace. */

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode } from "../errors.ts";
import { deno, type DenoRuntime } from "../fs/deno_runtime.ts";

/** The longest wait for a reader that is slow. */
const WAIT_MS_MAX = 32;

/** Writes the bytes and waits until all are taken. */
export async function writeToStdout(bytes: Uint8Array): Promise<void> {
  if (deno === undefined) await writeToStream(bytes);
  else await writeInParts(deno.stdout, bytes);
}

function writeToStream(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * A stdout that another program has made non-blocking takes what the pipe has
 * room for, and then fails with EAGAIN. Node and Bun wait for room. Deno's
 * `process.stdout` passes the error on and does not tell how much it has
 * written, so that the rest can't be written; its own interface tells. Deno has
 * no way to wait for room, only for time to pass.
 */
async function writeInParts(
  stdout: DenoRuntime["stdout"],
  bytes: Uint8Array,
): Promise<void> {
  let done = 0;
  let waitMs = 1;
  while (done < bytes.length) {
    try {
      done += await stdout.write(bytes.subarray(done));
      waitMs = 1;
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") throw error;
      await delay(waitMs);
      waitMs = Math.min(2 * waitMs, WAIT_MS_MAX);
    }
  }
}
