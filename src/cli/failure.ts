/** Error messages and exit codes. */

import { CommanderError } from "commander";
import {
  InvalidSnapshotIdError,
  SnapshotUnreadableError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "../../mod.ts";
import { InterruptedError } from "./interrupt.ts";
import { BrokenPipeError, warn } from "./output.ts";
import { messageOf } from "./reason.ts";

/** The exit code where a snapshot could not be read, and so may be good. */
export const NOT_CHECKED = 3;

/** An error that a command finds itself, such as a missing directory. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** The exit code of the command. */
  readonly exitCode: number;

  /** Makes the error; the exit code is 1 when it is left out. */
  constructor(
    message: string,
    { exitCode = 1, ...options }: ErrorOptions & { exitCode?: number } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Reports an error on stderr, on one line, and gives the exit code. */
export function reportError(error: unknown): number {
  // The reader has ended (`| head`), which needs no message. The output is not
  // complete: 128 + SIGPIPE, as the system's own tools exit.
  if (error instanceof BrokenPipeError) return 141;
  if (error instanceof CommanderError) return reportUsage(error);
  warn(messageOf(error));
  return exitCodeOfError(error);
}

/** The exit code that an error stands for. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof InterruptedError || error instanceof CommandError) {
    return error.exitCode;
  }
  if (error instanceof InvalidSnapshotIdError) return 2;
  return isNotChecked(error) ? NOT_CHECKED : 1;
}

/** Whether a snapshot could not be read or checked, and so may be good. */
function isNotChecked(error: unknown): boolean {
  return error instanceof SnapshotUnreadableError ||
    error instanceof UnsupportedSnapshotVersionError;
}

function reportUsage(error: CommanderError): number {
  if (error.exitCode === 0) return 0; // --help and --version end this way
  // Help that is shown because nothing was asked for has been printed.
  if (error.code !== "commander.help") {
    warn(`${messageOf(error).replace(/^error: /, "")} (see --help)`);
  }
  return 2;
}

/** The codes of a path that leads to nothing that could be read. */
const NOTHING_TO_READ: ReadonlySet<string | undefined> = new Set(
  ["EBADF", "EISDIR", "ENOENT", "ENOTDIR"],
);

/** The exit code for a path that can't be read: 1 when it is a wrong one. */
export function exitCodeOf(error: unknown): number {
  return NOTHING_TO_READ.has(systemCode(error)) ? 1 : NOT_CHECKED;
}
