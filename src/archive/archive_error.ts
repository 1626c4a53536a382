/**
 * The one error for archives that can't be trusted.
 *
 * @module
 */

import { SnapshotError, type SnapshotErrorOptions } from "../errors.ts";
import type { ArchiveLookalike } from "./first_bytes.ts";

/**
 * What is wrong with an archive:
 *
 * - `"gzip"`: the file is not a gzip file, is damaged or truncated, or
 *   continues after its end;
 * - `"tar"`: the tar in it is not a tar, is damaged or truncated, or continues
 *   after its end;
 * - `"member"`: a member of the tar is unknown, there twice, missing, too long,
 *   or comes too early;
 * - `"meta"`: `meta.json` is not what it should be;
 * - `"size"`: `state.bin` is not as long as `meta.json` says, or longer than
 *   the caller allows;
 * - `"digest"`: the bytes of a member are not the ones that `SHA256SUMS` is of.
 */
export type ArchiveFault =
  | "gzip"
  | "tar"
  | "member"
  | "meta"
  | "size"
  | "digest";

/** What {@linkcode SnapshotArchiveError} tells beside its message. */
export interface SnapshotArchiveDetails extends SnapshotErrorOptions {
  /** What kind of fault it is. */
  readonly reason: ArchiveFault;
  /** What was wanted. */
  readonly expected: string;
  /** What was found. */
  readonly actual: string;
  /** The member of the tar that it is in, when it is in one. */
  readonly member?: string | undefined;
  /** Where, in bytes: of the file for `"gzip"`, else of the tar in it. */
  readonly offset?: number | undefined;
  /** What the first bytes look like, when they are not an archive's. */
  readonly looksLike?: ArchiveLookalike | undefined;
  /**
   * What happened, where that can't be said as what was found and expected.
   */
  readonly summary?: string | undefined;
  /**
   * What the caller can do.
   * @default {what helps against most faults of that kind}
   */
  readonly hint?: string | undefined;
}

/** The compression ends with a checksum: what is wrong in it came later. */
const DAMAGED = "download or copy the file again";

/** The checksum is right, so these bytes were packed. */
const PACKED = "use another copy of the archive, or make the archive again";

/** An archive is not one, is damaged, or is not what it says it is. */
export class SnapshotArchiveError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotArchiveError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_ARCHIVE";
  /** What kind of fault it is. */
  readonly reason: ArchiveFault;
  /** What was wanted. */
  readonly expected: string;
  /** What was found; of what the archive itself says, not more than a line. */
  readonly actual: string;
  /** The member of the tar that it is in, such as `"state.bin"`, if any. */
  readonly member: string | undefined;
  /**
   * Where, in bytes from the start, when that is known: of the archive's file
   * for the reason `"gzip"`, of the tar in it for all others.
   */
  readonly offset: number | undefined;
  /**
   * What the first bytes look like, when the file, or what is compressed in it,
   * does not begin as an archive does: such as `"html"`, `"tar"`, `"empty"`.
   */
  readonly looksLike: ArchiveLookalike | undefined;

  /** Makes the error. */
  constructor(details: SnapshotArchiveDetails) {
    const { reason, expected, actual, member, offset } = details;
    const { summary = summaryOf(details) } = details;
    const { hint = reason === "gzip" ? DAMAGED : PACKED } = details;
    super(`${summary}; ${hint}`, details);
    this.reason = reason;
    this.expected = expected;
    this.actual = actual;
    this.member = member;
    this.offset = offset;
    this.looksLike = details.looksLike;
  }
}

function summaryOf(details: SnapshotArchiveDetails): string {
  const { reason, expected, actual, member, offset } = details;
  const whole = reason === "gzip" ? "file" : "tar";
  const where = offset === undefined
    ? ""
    : ` at byte ${offset} of the ${whole}`;
  const what = member === undefined
    ? "the archive"
    : `${member} in the archive`;
  return `Cannot trust ${what}: found ${actual}${where}, expected ${expected}`;
}
