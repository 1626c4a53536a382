/**
 * The one error for archives that can't be trusted.
 *
 * @module
 */

import { SnapshotError, type SnapshotErrorOptions } from "../errors.ts";
import type { ArchiveLookalike } from "./first_bytes.ts";

/**
 * The part of an archive that is wrong:
 *
 * - `"gzip"`: the file is not a gzip file, is damaged or truncated, or
 *   continues after its end;
 * - `"tar"`: the tar in it is not a tar, is damaged or truncated, or continues
 *   after its end;
 * - `"member"`: a member of the tar is unknown, there twice, missing, too long,
 *   or comes too early;
 * - `"meta"`: `meta.json` is not valid;
 * - `"size"`: `state.bin` is not as long as `meta.json` says, or longer than
 *   the caller allows;
 * - `"digest"`: the bytes of a member do not match `SHA256SUMS`.
 */
export type ArchiveFault =
  | "gzip"
  | "tar"
  | "member"
  | "meta"
  | "size"
  | "digest";

/** The fields of {@linkcode SnapshotArchiveError} beside its message. */
export interface SnapshotArchiveDetails extends SnapshotErrorOptions {
  /** The kind of fault. */
  readonly reason: ArchiveFault;
  /** The expected value, in words. */
  readonly expected: string;
  /** The value that was found, in words. */
  readonly actual: string;
  /** The member of the tar that has the fault, if any. */
  readonly member?: string | undefined;
  /**
   * Where the fault is, in bytes: of the file for `"gzip"`, else of the tar in
   * it.
   */
  readonly offset?: number | undefined;
  /**
   * The format that the first bytes look like, when they are not an archive's.
   */
  readonly looksLike?: ArchiveLookalike | undefined;
  /** What happened, if "found X, expected Y" does not say it. */
  readonly summary?: string | undefined;
  /**
   * Advice for the caller.
   * @default {advice for most faults of that kind}
   */
  readonly hint?: string | undefined;
}

/**
 * The compressed data ends with a checksum, so this damage is newer than it.
 */
const DAMAGED = "download or copy the file again";

/** The checksum is right, so the fault was there when the bytes were packed. */
const PACKED = "use another copy of the archive, or make the archive again";

/**
 * A file is not an archive, or the archive is damaged or contradicts itself.
 */
export class SnapshotArchiveError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotArchiveError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_ARCHIVE";
  /** The kind of fault. */
  readonly reason: ArchiveFault;
  /** The expected value, in words. */
  readonly expected: string;
  /**
   * The value that was found, in words; at most a line of the archive's text.
   */
  readonly actual: string;
  /**
   * The member of the tar that has the fault, such as `"state.bin"`, if any.
   */
  readonly member: string | undefined;
  /**
   * Where the fault is, in bytes from the start, if known: of the archive's
   * file for the reason `"gzip"`, of the tar in it for all others.
   */
  readonly offset: number | undefined;
  /**
   * The format that the first bytes look like, when the file, or the data
   * compressed in it, does not begin as an archive does, such as `"html"`,
   * `"tar"`, `"empty"`.
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
