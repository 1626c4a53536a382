/** Opens the input of a command: a file or stdin. */

import { fstatSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import process from "node:process";
import { addAbortSignal, type Readable } from "node:stream";
import { CommandError, exitCodeOf } from "./failure.ts";
import { isQuiet } from "./quiet.ts";
import { systemReason } from "./reason.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Node reads into memory of its own, never into shared memory. */
type Bytes = Uint8Array<ArrayBuffer>;

/** An open input. */
export interface Input {
  /** Its length in bytes, where that is known. */
  readonly size: number | undefined;
  /** The bytes; throws when the signal aborts. */
  chunks(): AsyncGenerator<Bytes, void, void>;
  /** Closes the input. */
  close(): void;
}

/**
 * Opens a file; `undefined` and `"-"` are stdin. A directory is refused here,
 * because Node and Deno read a directory on stdin as if it were empty.
 *
 * @throws {CommandError} when the input can't be read.
 */
export async function openInput(
  file: string | undefined,
  signal?: AbortSignal,
): Promise<Input> {
  if (file === undefined || file === "-") {
    requireNoDirectory("stdin", statOfStdin());
    if (process.stdin.isTTY && !isQuiet()) {
      process.stderr.write(
        "reading from the terminal; Ctrl-D ends the input\n",
      );
    }
    return makeInput(process.stdin, "stdin", undefined, signal);
  }
  return await openFile(file, signal);
}

/** A closed stdin (`<&-`) is `/dev/null`, which is empty, on every runtime. */
function statOfStdin(): Stats {
  try {
    return fstatSync(0);
  } catch (error) {
    throw cannotRead("stdin", error);
  }
}

async function openFile(file: string, signal?: AbortSignal): Promise<Input> {
  try {
    const handle = await open(file);
    try {
      const stat = await handle.stat();
      requireNoDirectory(file, stat);
      const size = stat.isFile() ? stat.size : undefined;
      const stream = handle.createReadStream({ highWaterMark: CHUNK_BYTES });
      return makeInput(stream, file, size, signal);
    } catch (error) {
      // Only read from: a failed close loses nothing.
      await handle.close().catch(() => {});
      throw error;
    }
  } catch (error) {
    throw cannotRead(file, error);
  }
}

function requireNoDirectory(name: string, stat: Stats): void {
  if (stat.isDirectory()) throw cannotRead(name, { code: "EISDIR" });
}

function makeInput(
  stream: Readable,
  name: string,
  size: number | undefined,
  signal: AbortSignal | undefined,
): Input {
  if (signal !== undefined) addAbortSignal(signal, stream);
  // An abort before the first read is an error event without a listener.
  stream.on("error", () => {});
  async function* chunks(): AsyncGenerator<Bytes, void, void> {
    try {
      for await (const chunk of stream) yield chunk as Bytes;
    } catch (error) {
      throw cannotRead(name, error);
    }
  }
  return { size, chunks, close: () => void stream.destroy() };
}

function cannotRead(name: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  return new CommandError(`Cannot read ${name}: ${systemReason(error)}`, {
    cause: error,
    exitCode: exitCodeOf(error),
  });
}
