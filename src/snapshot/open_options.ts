/**
 * Checks the options of `open()`.
 *
 * @module
 */

import { quote } from "../text.ts";
import type { OpenOptions, SnapshotMeta, VerifyMode } from "./types.ts";

/** A part of a state: from `start` to before `end`, in bytes. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** The byte after the last one. */
  readonly end: number;
}

const VERIFY_MODES: readonly VerifyMode[] = ["auto", "before", "stream"];

/** When to check. @throws {TypeError} when it is not one of the modes. */
export function requireMode({ verify = "auto" }: OpenOptions): VerifyMode {
  if (VERIFY_MODES.includes(verify)) return verify;
  throw new TypeError(
    `Cannot open a snapshot: found verify ${quote(String(verify))}, ` +
      `expected one of ${VERIFY_MODES.join(", ")}`,
  );
}

/**
 * The requested part of the state.
 *
 * @throws {TypeError} when a bound is not a number.
 * @throws {RangeError} when the part is not within the state.
 */
export function requireRange(
  options: OpenOptions,
  { size }: SnapshotMeta,
): ByteRange {
  const { start = 0, end = size } = options;
  if (typeof start !== "number" || typeof end !== "number") {
    throw new TypeError(
      "Cannot open a snapshot: start and end are not numbers",
    );
  }
  const isInteger = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (isInteger && 0 <= start && start <= end && end <= size) {
    return { start, end };
  }
  throw new RangeError(
    `Cannot open a snapshot from byte ${start} to ${end}: ` +
      `expected integers from 0 to ${size}, in order`,
  );
}
