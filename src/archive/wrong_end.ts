/**
 * Errors of archives that end too early, or continue after their end.
 *
 * @module
 */

import { type ArchiveFault, SnapshotArchiveError } from "./archive_error.ts";
import { describeFirstBytes } from "./first_bytes.ts";

/** Where an archive breaks off. */
export interface BreakOff {
  /** `"gzip"` when the file does, else the tar in it does. */
  readonly reason: ArchiveFault;
  /** How many bytes there are: of the file for `"gzip"`, else of the tar. */
  readonly offset: number;
  /** The member that is incomplete, when it is one. */
  readonly member?: string | undefined;
  /** The lower error. */
  readonly cause?: unknown;
}

/** `what` is a sentence on the part that is incomplete, without a full stop. */
export function truncated(
  what: string,
  details: BreakOff,
): SnapshotArchiveError {
  return endsEarly("truncated", what, details);
}

/** The tar is whole, but has no such member. */
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

/** The file continues after `end` bytes with `rest`, of which a part will do. */
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
