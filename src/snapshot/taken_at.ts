/**
 * The time when a state was taken, which for a copy or an import is before its
 * snapshot was written.
 *
 * @module
 */

import type { SnapshotMetaFields } from "./types.ts";

/** As RFC 3339 writes it, which is how Go would. */
const RFC_3339 =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The time that a text stands for; `undefined` when it is not one. */
export function parseTakenAt(text: string): Date | undefined {
  return RFC_3339.test(text) ? takenAtOr(new Date(text)) : undefined;
}

/** A time, if metadata can hold it. */
export function takenAtOr(time: Date | undefined): Date | undefined {
  return time !== undefined && hasFourDigits(time) ? time : undefined;
}

/** Only such years have one way to be written. */
function hasFourDigits(time: Date): boolean {
  const year = time.getUTCFullYear();
  return year >= 0 && year <= 9999;
}

/**
 * A checked copy of the time that the caller gives, if any.
 *
 * @throws {TypeError} when it is not a `Date`.
 * @throws {RangeError} when it is not in the years 0 to 9999.
 */
export function resolveTakenAt(
  takenAt: Date | undefined,
): Pick<SnapshotMetaFields, "takenAt"> {
  if (takenAt === undefined) return {};
  // Not `instanceof`, because a Date of another realm counts, too.
  if (Object.prototype.toString.call(takenAt) !== "[object Date]") {
    throw new TypeError(
      `Cannot use takenAt: found ${typeof takenAt}, expected a Date`,
    );
  }
  if (hasFourDigits(takenAt)) return { takenAt: new Date(takenAt.getTime()) };
  throw new RangeError(
    `Cannot use takenAt: found the year ${takenAt.getUTCFullYear()}, ` +
      "expected 0 to 9999",
  );
}
