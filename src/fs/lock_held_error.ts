/**
 * The error of a file system whose lock is held.
 *
 * @module
 */

import { lockedMessage, type LockOwner } from "../lock_owner.ts";

/** The fields of {@linkcode LockHeldError} beside its message. */
export interface LockHeldDetails {
  /** The holder of the lock, if known. */
  readonly owner?: LockOwner | undefined;
  /** Advice for the caller. */
  readonly hint?: string | undefined;
}

/** A lock is held, or its holder's end can't be proven. */
export class LockHeldError extends Error {
  /** The class's name. */
  override readonly name = "LockHeldError";
  /** The system's code. */
  readonly code = "EBUSY";
  /** The lock's file. */
  readonly path: string;
  /** The holder of the lock, if known. */
  readonly owner: LockOwner | undefined;
  /** Advice for the caller. */
  readonly hint: string | undefined;

  /** Makes the error; `path` is the lock's file. */
  constructor(path: string, { owner, hint }: LockHeldDetails = {}) {
    super(lockedMessage(path, owner, hint));
    this.path = path;
    this.owner = owner;
    this.hint = hint;
  }
}
