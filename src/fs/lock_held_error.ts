/**
 * The refusal of a lock, as a file system says it.
 *
 * @module
 */

import { lockedMessage, type LockOwner } from "../lock_owner.ts";

/** What {@linkcode LockHeldError} tells beside its message. */
export interface LockHeldDetails {
  /** Who holds the lock, when that is known. */
  readonly owner?: LockOwner | undefined;
  /** What the caller can do. */
  readonly hint?: string | undefined;
}

/** A lock is held, or may be for all that can be known. */
export class LockHeldError extends Error {
  /** The class's name. */
  override readonly name = "LockHeldError";
  /** The system's word for it. */
  readonly code = "EBUSY";
  /** The lock's file. */
  readonly path: string;
  /** Who holds the lock, when that is known. */
  readonly owner: LockOwner | undefined;
  /** What the caller can do. */
  readonly hint: string | undefined;

  /** Makes the error; `path` is the lock's file. */
  constructor(path: string, { owner, hint }: LockHeldDetails = {}) {
    super(lockedMessage(path, owner, hint));
    this.path = path;
    this.owner = owner;
    this.hint = hint;
  }
}
