/** The messages of `save` about a state other than the expected one. */

import { SnapshotCorruptError, SnapshotPublishError } from "../../mod.ts";
import { CommandError } from "./failure.ts";
import { formatCrc } from "./format.ts";

/**
 * Passes the chunks on.
 *
 * @throws {CommandError} at the end, when the state was empty.
 */
export async function* requireBytes(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (!isEmpty) return;
  throw new CommandError(
    "The state is empty and was not saved: found 0 bytes, expected at least " +
      "1; --allow-empty saves an empty state",
  );
}

function show(figure: string | number | bigint): string {
  if (typeof figure === "bigint") return formatCrc(figure);
  return typeof figure === "number" ? `${figure} bytes` : figure;
}

/**
 * Adds the option that the state does not match to an error, if that is the
 * cause.
 */
export function nameOption(error: unknown): unknown {
  if (!(error instanceof SnapshotPublishError)) return error;
  const { cause } = error;
  if (!(cause instanceof SnapshotCorruptError)) return error;
  const { reason, actual, expected } = cause;
  const option = reason === "size" ? "--size" : "--crc64";
  return new CommandError(
    `The state does not match ${option} and was not saved: ` +
      `found ${show(actual)}, expected ${show(expected)}`,
    { cause: error },
  );
}
