/** Writing to the terminal or the pipe, at the reader's pace. */

import process from "node:process";
import { styleText } from "node:util";
import { stringify } from "lossless-json";
import { printable } from "../text.ts";

/** Whoever read our output has gone away. */
export class BrokenPipeError extends Error {
  override readonly name = "BrokenPipeError";
}

// A failed write is told to its callback; without a listener for the event of
// the same failure the process would die of it.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

/**
 * Writes to stdout and waits until it is taken.
 *
 * @throws {BrokenPipeError} when nobody reads any more.
 */
export async function write(data: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(data, (error) => {
      if (error) reject(outputError(error));
      else resolve();
    });
  });
}

function outputError(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EPIPE" || code === "ECONNRESET" ||
      code === "ERR_STREAM_DESTROYED"
    ? new BrokenPipeError("nobody reads the output", { cause: error })
    : new Error(`Cannot write to stdout: ${error.message}`, { cause: error });
}

/** Prints lines. */
export async function print(...lines: readonly string[]): Promise<void> {
  await write(lines.map((line) => `${line}\n`).join(""));
}

/** Prints one JSON document; bigints become plain numbers, without loss. */
export async function printJson(value: unknown): Promise<void> {
  await print(stringify(value, undefined, 2) ?? "null");
}

/** Says something on stderr, where it does not get into the data. */
export function warn(message: string): void {
  process.stderr.write(`raft-snapshots: ${printable(message)}\n`);
}

/** Colours text for a terminal that wants it. */
export function paint(colour: "green" | "red", text: string): string {
  const wanted = process.stdout.isTTY && !process.env["NO_COLOR"];
  return wanted ? styleText(colour, text) : text;
}
