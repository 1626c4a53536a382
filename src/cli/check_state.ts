/** Compares a state with the options --size and --crc64 before publication. */

import { Crc64 } from "../crc64/mod.ts";
import { CommandError } from "./failure.ts";
import { formatCrc } from "./format.ts";

/** What the user expects of a state. */
export interface ExpectedState {
  /** Its length in bytes. */
  readonly size?: number | undefined;
  /** Its CRC-64. */
  readonly crc64?: bigint | undefined;
  /** Whether it may be empty. */
  readonly allowEmpty?: boolean | undefined;
}

/**
 * Passes the chunks on. The comparison comes after the last chunk, so the caller
 * must not publish before the iteration has ended.
 *
 * @throws {CommandError} when the state does not match: as soon as it is too long,
 * or else at its end.
 */
export async function* checkState(
  chunks: AsyncIterable<Uint8Array>,
  expected: ExpectedState,
): AsyncGenerator<Uint8Array, void, void> {
  const crc = expected.crc64 === undefined ? undefined : new Crc64();
  const { size = Infinity } = expected;
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    if (done > size) {
      throw unexpected("--size", `${size} bytes`, `${done} bytes or more`);
    }
    crc?.update(chunk);
    yield chunk;
  }
  if (expected.size !== undefined && done !== size) {
    throw unexpected("--size", `${size} bytes`, `${done} bytes`);
  }
  if (done === 0 && !expected.allowEmpty) {
    throw new CommandError(
      "The state is empty and was not saved: found 0 bytes, expected at least " +
        "1; --allow-empty saves an empty state",
    );
  }
  const { crc64 } = expected;
  const actual = crc?.digest();
  if (crc64 === undefined || actual === undefined || actual === crc64) return;
  throw unexpected("--crc64", formatCrc(crc64), formatCrc(actual));
}

function unexpected(
  option: string,
  expected: string,
  found: string,
): CommandError {
  return new CommandError(
    `The state does not match ${option} and was not saved: ` +
      `found ${found}, expected ${expected}`,
  );
}
