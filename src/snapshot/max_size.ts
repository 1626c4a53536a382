/**
 * The limit for the size of a state that is received from another place.
 *
 * @module
 */

import { SnapshotTooLargeError } from "../errors.ts";
import type { SnapshotMeta } from "./types.ts";

/**
 * The limit in bytes; `Infinity` stands for no limit.
 *
 * @throws {TypeError} when it is not a number.
 * @throws {RangeError} when it is negative or not an integer.
 */
export function requireMaxSize(maxSize: number = Infinity): number {
  if (typeof maxSize !== "number") {
    throw new TypeError(
      `Cannot use the option maxSize: found ${typeof maxSize}, expected a number`,
    );
  }
  const isSize = Number.isSafeInteger(maxSize) && maxSize >= 0;
  if (isSize || maxSize === Infinity) return maxSize;
  throw new RangeError(
    `Cannot use the option maxSize: found ${maxSize}, ` +
      "expected an integer from 0, or Infinity",
  );
}

/** @throws {SnapshotTooLargeError} when the state is larger than the limit. */
export function assertNotTooLarge(
  { id, size }: Pick<SnapshotMeta, "id" | "size">,
  maxSize: number,
): void {
  if (size > maxSize) throw new SnapshotTooLargeError(id, { size, maxSize });
}
