/** Writing to the terminal or the pipe, at the reader's pace. */

import process from "node:process";
import { styleText } from "node:util";
import { printable, systemCode } from "../../mod.ts";
import { isQuiet } from "./quiet.ts";
import { systemReason } from "./reason.ts";
import { writeToStdout } from "./stdout.ts";

/** The program that read our output has gone away. */
export class BrokenPipeError extends Error {
  override readonly name = "BrokenPipeError";
}

// A failed write is reported to its callback; without a listener for the event of
// the same failure the process would die of it.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

/**
 * Writes bytes to stdout as they are, and waits until they are taken.
 *
 * @throws {BrokenPipeError} when the reader has gone away.
 */
export async function write(bytes: Uint8Array): Promise<void> {
  try {
    await writeToStdout(bytes);
  } catch (error) {
    throw outputError(error);
  }
}

const GONE: ReadonlySet<string | undefined> = new Set(
  ["EPIPE", "ECONNRESET"],
);

function outputError(error: unknown): Error {
  const isDestroyed = (error as Partial<NodeJS.ErrnoException>).code ===
    "ERR_STREAM_DESTROYED";
  return isDestroyed || GONE.has(systemCode(error))
    ? new BrokenPipeError("the reader of the output has closed it", {
      cause: error,
    })
    : new Error(`Cannot write to stdout: ${systemReason(error)}`, {
      cause: error,
    });
}

/** Prints lines, with everything that is not printable escaped. */
export async function print(...lines: readonly string[]): Promise<void> {
  await printPainted(...lines.map(printable));
}

/** Prints lines with colours, in which text from outside is escaped already. */
export async function printPainted(
  ...lines: readonly string[]
): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join("");
  await write(new TextEncoder().encode(text));
}

/**
 * Prints one JSON document. Characters that are not printable are escaped
 * within the strings, so that it is the same JSON.
 */
export async function printJson(value: unknown): Promise<void> {
  const text = JSON.stringify(value, undefined, 2) ?? "null";
  // The line ends between the members; those in strings are escaped already.
  await print(...text.split("\n"));
}

/** Prints a message on stderr, apart from the data. */
export function warn(message: string): void {
  process.stderr.write(`raft-snapshots: ${printable(message)}\n`);
}

/** Prints a note on stderr, which `--quiet` leaves out. */
export function note(message: string): void {
  if (!isQuiet()) warn(message);
}

/** How wide the terminal is; `undefined` where stdout is not one. */
export function terminalColumns(): number | undefined {
  const { isTTY, columns } = process.stdout;
  // Where a terminal does not tell its own width.
  return isTTY ? columns || 80 : undefined;
}

/** Colours text for a terminal, unless NO_COLOR is set. */
export function paint(
  colour: "green" | "red" | "yellow",
  text: string,
): string {
  const wanted = process.stdout.isTTY && !process.env["NO_COLOR"];
  return wanted ? styleText(colour, text) : text;
}
