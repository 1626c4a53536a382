/** Bytes to stdout, all of them, at the reader's pace. */

import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import process from "node:process";
import type { Writable } from "node:stream";
import { deno } from "../runtime/deno.ts";

let opened: Writable | undefined;

/** Writes the bytes and waits until all are taken. */
export function writeToStdout(bytes: Uint8Array): Promise<void> {
  const stream = opened ??= openStdout();
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * A pipe that another program has made non-blocking takes as much as it has room
 * for, and then fails with EAGAIN. Node and Bun wait for room. Deno's
 * `process.stdout` passes the error on, and does not tell how much of the bytes
 * it has written (nor does `Deno.stdout`, which holds back what follows the last
 * line end). A socket on the same descriptor waits for room on Deno, too.
 */
function openStdout(): Writable {
  const stat = fstatSync(1);
  if (deno === undefined || !(stat.isFIFO() || stat.isSocket())) {
    return process.stdout;
  }
  const socket = new Socket({ fd: 1, readable: false, writable: true });
  // A failed write is told to its callback.
  socket.on("error", () => {});
  return socket;
}
