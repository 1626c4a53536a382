/** The secret of a snapshot server: from a file or the environment. */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Option } from "commander";
import { parsePath } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { systemReason } from "./reason.ts";

/** Where a token is looked for when no file is given. */
export const TOKEN_VARIABLE = "RAFT_SNAPSHOTS_TOKEN";

/** A longer file is not one with a token. */
const TOKEN_LENGTH_MAX = 4096;

/** `--token-file`, of the server and of the client. */
export function tokenOption(): Option {
  return new Option(
    "--token-file <FILE>",
    `a file with the token (default: the variable ${TOKEN_VARIABLE})`,
  ).argParser(parsePath);
}

/**
 * The token; `undefined` when neither a file nor the environment has one. It is
 * not an argument, because other users see those.
 *
 * @throws {CommandError} when the file can't be read, or holds something else.
 */
export async function readToken(
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined) return process.env[TOKEN_VARIABLE] || undefined;
  let text;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CommandError(`Cannot read ${file}: ${systemReason(error)}`, {
      cause: error,
      exitCode: 2,
    });
  }
  const token = text.trim();
  if (token !== "" && token.length <= TOKEN_LENGTH_MAX) return token;
  throw new CommandError(
    `Cannot use the token in ${file}: found ${token.length} characters, ` +
      `expected 1 to ${TOKEN_LENGTH_MAX}`,
    { exitCode: 2 },
  );
}
