/** Bytes to stdout, all of them, at the reader's pace. */

import { fstatSync, readFileSync, statSync } from "node:fs";
import { Socket } from "node:net";
import process from "node:process";
import type { Writable } from "node:stream";

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
 * Refuses a closed stdout (`>&-`) for a command whose bytes would be lost. The
 * commands whose work or exit code counts without their output, such as verify,
 * have no need of it.
 *
 * @throws {Error} when stdout is closed, as far as Linux tells.
 */
export function requireStdout(): void {
  if (!isNullForReading()) return;
  throw new Error(
    "Cannot write to stdout: closed, or /dev/null that is open for reading",
  );
}

/**
 * Each runtime opens `/dev/null` for reading and writing in the place of a
 * closed stdout; a shell opens it (`>/dev/null`) for writing only.
 */
function isNullForReading(): boolean {
  try {
    if (fstatSync(1).rdev !== statSync("/dev/null").rdev) return false;
    const info = readFileSync("/proc/self/fdinfo/1", "utf8");
    return /^flags:\s+[0-7]*2$/m.test(info);
  } catch {
    return false; // not Linux, or Deno may not read there
  }
}

/**
 * A pipe that another program has made non-blocking takes as much as it has room
 * for, and then fails with EAGAIN. Node and Bun wait for room. Deno's
 * `process.stdout` passes the error on, and does not tell how much of the bytes
 * it has written (nor does `Deno.stdout`, which holds back the bytes after
 * the last line end). A socket on the same descriptor waits for room on Deno, too.
 */
function openStdout(): Writable {
  const stat = fstatSync(1);
  if (!("Deno" in globalThis) || !(stat.isFIFO() || stat.isSocket())) {
    return process.stdout;
  }
  const socket = new Socket({ fd: 1, readable: false, writable: true });
  // A failed write is reported to its callback.
  socket.on("error", () => {});
  return socket;
}
