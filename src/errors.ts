/**
 * One class for each condition that a caller may want to handle.
 *
 * @module
 */

import { type ErrorJson, toErrorJson } from "./error_json.ts";
import { lockedMessage, type LockOwner } from "./lock_owner.ts";
import { systemCode } from "./system_code.ts";
import { formatCrc } from "./text.ts";

export { systemCode } from "./system_code.ts";

/** The `code` of each class of errors. */
export type SnapshotErrorCode =
  | "ERR_NO_USABLE_SNAPSHOT"
  | "ERR_OPERATION_UNSUPPORTED"
  | "ERR_SNAPSHOT"
  | "ERR_SNAPSHOT_ARCHIVE"
  | "ERR_SNAPSHOT_CORRUPT"
  | "ERR_SNAPSHOT_ID_INVALID"
  | "ERR_SNAPSHOT_NOT_FOUND"
  | "ERR_SNAPSHOT_PUBLISH"
  | "ERR_SNAPSHOT_RETAINED"
  | "ERR_SNAPSHOT_TOO_LARGE"
  | "ERR_SNAPSHOT_UNREADABLE"
  | "ERR_SNAPSHOT_VERSION_UNSUPPORTED"
  | "ERR_STORE_ACCESS"
  | "ERR_STORE_CLOSED"
  | "ERR_STORE_LOCKED";

/** Options that every error of this library takes. */
export interface SnapshotErrorOptions {
  /** The error that caused this one; `systemCode` is taken from it. */
  readonly cause?: unknown;
}

/**
 * Marks errors of this library. Every copy of the package has the same symbol,
 * but classes of its own.
 */
export const SNAPSHOT_ERROR: unique symbol = Symbol.for(
  "@raft/snapshots.SnapshotError",
) as typeof SNAPSHOT_ERROR;

/**
 * The base class of all errors of this library. An error without a more
 * specific class has this one. Wrong arguments are `TypeError` and `RangeError`
 * instead. {@linkcode isSnapshotError} recognizes such errors also where a
 * program has loaded two copies of this package.
 */
export class SnapshotError extends Error {
  /** The class's name. */
  override readonly name: string = "SnapshotError";
  /** The class's code, which names the condition. */
  readonly code: SnapshotErrorCode = "ERR_SNAPSHOT";
  /**
   * The system's code, such as `"ENOSPC"`, when the cause, or a cause of the
   * cause, is an error of the system.
   */
  readonly systemCode: string | undefined;

  /** Makes the error; `systemCode` is looked for in the cause. */
  constructor(message: string, options: SnapshotErrorOptions = {}) {
    super(message, options);
    this.systemCode = systemCode(options.cause);
  }

  /**
   * For `JSON.stringify()`: the name, code, message and fields. CRCs become 16
   * hexadecimal digits. Causes are cut down to their name, code and message.
   */
  toJSON(): ErrorJson {
    return toErrorJson(this);
  }
}

// Not a member, because the mark is not part of the interface.
Object.defineProperty(SnapshotError.prototype, SNAPSHOT_ERROR, { value: true });

/** There is no snapshot of that ID in the store. */
export class SnapshotNotFoundError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotNotFoundError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_NOT_FOUND";
}

/** The string is not a snapshot ID (`<term>-<index>-<unixMs>`). */
export class InvalidSnapshotIdError extends SnapshotError {
  /** The class's name. */
  override readonly name = "InvalidSnapshotIdError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_ID_INVALID";
}

/** The snapshot's format version is not one that this library knows. */
export class UnsupportedSnapshotVersionError extends SnapshotError {
  /** The class's name. */
  override readonly name = "UnsupportedSnapshotVersionError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_VERSION_UNSUPPORTED";
}

/**
 * One snapshot can't be read, for a reason of the system such as `EACCES`,
 * `EPERM` or `EIO` that concerns neither the other snapshots nor its bytes: it
 * may be good. `systemCode` and `cause` are those of the system's error.
 */
export class SnapshotUnreadableError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotUnreadableError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_UNREADABLE";
}

/**
 * A state is larger than the receiver accepts (`maxSize`). No byte of the state
 * was read or written.
 */
export class SnapshotTooLargeError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotTooLargeError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_TOO_LARGE";
  /** Length of the state in bytes. */
  readonly size: number;
  /** The longest state that the receiver accepts, in bytes. */
  readonly maxSize: number;

  /** Makes the error. */
  constructor(
    id: string,
    { size, maxSize }: { readonly size: number; readonly maxSize: number },
  ) {
    super(
      `Cannot receive snapshot ${id}: found a state of ${size} bytes, ` +
        `expected at most ${maxSize}; raise maxSize if it is right`,
    );
    this.size = size;
    this.maxSize = maxSize;
  }
}

/**
 * The directory can't be used as a store, because it can't be made, read or
 * written. Or the process or the disk as a whole has run out of a resource
 * (`EMFILE`, `ENOMEM`), so that the error says nothing about any snapshot.
 */
export class StoreAccessError extends SnapshotError {
  /** The class's name. */
  override readonly name = "StoreAccessError";
  /** The class's code. */
  override readonly code = "ERR_STORE_ACCESS";
}

/**
 * The place does not allow the snapshot to be removed: its bucket has a rule
 * that retains objects, or the caller has no right to delete. The snapshot is
 * unchanged. Only `delete()` rejects with it; a reap leaves the snapshot in
 * place.
 */
export class SnapshotRetainedError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotRetainedError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_RETAINED";
}

/**
 * The place that keeps the snapshots does not support the operation, such as
 * adding block checksums to a published snapshot. Another call fails in the
 * same way.
 */
export class OperationUnsupportedError extends SnapshotError {
  /** The class's name. */
  override readonly name = "OperationUnsupportedError";
  /** The class's code. */
  override readonly code = "ERR_OPERATION_UNSUPPORTED";
}

/** The store has been closed. */
export class StoreClosedError extends SnapshotError {
  /** The class's name. */
  override readonly name = "StoreClosedError";
  /** The class's code. */
  override readonly code = "ERR_STORE_CLOSED";
}

/**
 * The part of a corrupt snapshot that is wrong. With `"archive"` the state is
 * good, and only the file that an import has kept of its archive
 * (`archive.origin`) is corrupt.
 */
export type CorruptionReason = "meta" | "size" | "crc" | "block" | "archive";

/** The fields of {@linkcode SnapshotCorruptError} beside its message. */
export interface SnapshotCorruptDetails extends SnapshotErrorOptions {
  /** The kind of check that failed. */
  readonly reason: CorruptionReason;
  /** The expected value. */
  readonly expected: string | number | bigint;
  /** The value that was found. */
  readonly actual: string | number | bigint;
  /** Where the damage is, in bytes from the start of the state, if known. */
  readonly offset?: number;
}

/** Shows checksums in hexadecimal, and lengths with their unit. */
function formatFigure(
  figure: string | number | bigint,
  reason: CorruptionReason,
): string {
  const isChecksum = reason !== "meta" && reason !== "size";
  if (isChecksum && typeof figure === "bigint") {
    return `CRC-64 ${formatCrc(figure)}`;
  }
  if (reason === "size" && typeof figure === "number") return `${figure} bytes`;
  return String(figure);
}

/** The bytes on disk are not the bytes that were written. */
export class SnapshotCorruptError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotCorruptError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_CORRUPT";
  /** The kind of check that failed. */
  readonly reason: CorruptionReason;
  /** The expected value. */
  readonly expected: string | number | bigint;
  /** The value that was found. */
  readonly actual: string | number | bigint;
  /** Where the damage is, in bytes from the start of the state, if known. */
  readonly offset: number | undefined;

  /** Makes the error; `what` names the snapshot or its part. */
  constructor(what: string, details: SnapshotCorruptDetails) {
    const { reason, expected, actual, offset } = details;
    const where = offset === undefined ? "" : ` at byte ${offset}`;
    super(
      `Cannot trust ${what}: found ${formatFigure(actual, reason)}${where}, ` +
        `expected ${formatFigure(expected, reason)}`,
      details,
    );
    this.reason = reason;
    this.expected = expected;
    this.actual = actual;
    this.offset = offset;
  }
}

/** Another store object, in this process or another one, holds the lock. */
export class StoreLockedError extends SnapshotError {
  /** The class's name. */
  override readonly name = "StoreLockedError";
  /** The class's code. */
  override readonly code = "ERR_STORE_LOCKED";
  /** The holder of the lock, if the lock file names one. */
  readonly owner: LockOwner | undefined;

  /** Makes the error; `path` is the lock file. */
  constructor(
    path: string,
    owner: LockOwner | undefined,
    options: SnapshotErrorOptions & { readonly hint?: string } = {},
  ) {
    super(lockedMessage(path, owner, options.hint), options);
    this.owner = owner;
  }
}

/**
 * A snapshot could not be written or published. The store has not acknowledged
 * the snapshot, so the log that it would replace must be kept.
 */
export class SnapshotPublishError extends SnapshotError {
  /** The class's name. */
  override readonly name = "SnapshotPublishError";
  /** The class's code. */
  override readonly code = "ERR_SNAPSHOT_PUBLISH";
  /**
   * Whether the snapshot is in the store nevertheless: complete and under its
   * final name, but the name may not survive a power cut. Also `true` when the
   * store can't find out, because the system does not answer.
   */
  readonly published: boolean;

  /** Makes the error. */
  constructor(
    message: string,
    options: SnapshotErrorOptions & { readonly published: boolean },
  ) {
    super(message, options);
    this.published = options.published;
  }
}

/** The store has snapshots, but none of them could be restored. */
export class NoUsableSnapshotError extends SnapshotError {
  /** The class's name. */
  override readonly name = "NoUsableSnapshotError";
  /** The class's code. */
  override readonly code = "ERR_NO_USABLE_SNAPSHOT";
  /** The error of each snapshot, in the order in which they were tried. */
  readonly errors: readonly unknown[];

  /** Makes the error from the failures. */
  constructor(message: string, errors: readonly unknown[]) {
    super(message, { cause: errors[0] });
    this.errors = errors;
  }
}
