/**
 * Errors of archives that end too early, or continue after their end.
 *
 * @module
 */

import { type ArchiveFault, SnapshotArchiveError } from "./archive_error.ts";
import { describeFirstBytes } from "./first_bytes.ts";

/** Where a truncated archive ends. */
export interface BreakOff {
  /**
   * `"gzip"` when the file is truncated, or else the reason of the tar in it.
   */
  readonly reason: ArchiveFault;
  /** The length in bytes: of the file for `"gzip"`, else of the tar. */
  readonly offset: number;
  /** The incomplete member, if any. */
  readonly member?: string | undefined;
  /** The lower error. */
  readonly cause?: unknown;
}

/**
 * The error for a truncated archive; `what` is a sentence about the incomplete
 * part, without a full stop.
 */
export function truncated(
  what: string,
  details: BreakOff,
): SnapshotArchiveError {
  return endsEarly("truncated", what, details);
}

/** The error for a whole tar without that member. */
export function missingMember(
  member: string,
  offset: number,
): SnapshotArchiveError {
  const details = { reason: "member", member, offset } as const;
  return endsEarly("incomplete", `${member} is missing`, details);
}

function endsEarly(
  how: string,
  what: string,
  details: BreakOff,
): SnapshotArchiveError {
  const whole = details.reason === "gzip" ? "file" : "tar";
  const at = `the ${whole} ends at byte ${details.offset}`;
  return new SnapshotArchiveError({
    ...details,
    summary: `The archive is ${how}: ${what} (${at})`,
    actual: `the end of the ${whole}`,
    expected: "more bytes",
  });
}

/**
 * The error for a file that continues after `end` bytes with `rest`, of which a
 * part is enough.
 */
export function trailingBytes(
  end: number,
  rest: Uint8Array,
): SnapshotArchiveError {
  const { actual } = describeFirstBytes(rest);
  const expected = "the end of the file";
  return new SnapshotArchiveError({
    reason: "gzip",
    offset: end,
    summary: `The archive ends at byte ${end}, but the file continues: found ` +
      `${actual}, expected ${expected}`,
    actual,
    expected,
    hint: `keep the first ${end} bytes (head -c ${end}), or download or copy ` +
      "the file again",
  });
}
