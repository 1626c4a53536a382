/**
 * Checks the options of `create()` and `save()`.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import type { CreateOptions, ExpectedState } from "../snapshot/types.ts";
import { UINT64_MAX } from "../uint64.ts";

/** The names in `expected`: a misspelt one would leave the check out. */
const EXPECTED: OptionNames<ExpectedState> = { size: true, crc: true };

/**
 * A checked copy of the expected size and CRC.
 *
 * @throws {TypeError} when a value has the wrong type, or another name.
 * @throws {RangeError} when a value is out of its bounds.
 */
export function requireExpected(
  { expected }: CreateOptions,
): ExpectedState | undefined {
  if (expected === undefined) return undefined;
  if (typeof expected !== "object" || expected === null) {
    throw new TypeError(
      `Cannot use expected: found ${
        expected === null ? "null" : typeof expected
      }, expected an object with size or crc`,
    );
  }
  requireKnown(expected, EXPECTED);
  const { size, crc } = expected;
  if (size !== undefined && typeof size !== "number") {
    throw new TypeError(
      `Cannot use expected.size: found ${typeof size}, expected a number`,
    );
  }
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(
      `Cannot use expected.size: found ${size}, expected an integer of 0 to ` +
        `${Number.MAX_SAFE_INTEGER}`,
    );
  }
  if (crc !== undefined && typeof crc !== "bigint") {
    throw new TypeError(
      `Cannot use expected.crc: found ${typeof crc}, expected a bigint`,
    );
  }
  if (crc !== undefined && (crc < 0n || crc > UINT64_MAX)) {
    throw new RangeError(
      `Cannot use expected.crc: found ${crc}, expected 0 to ${UINT64_MAX}`,
    );
  }
  return { size, crc };
}
