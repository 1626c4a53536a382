/**
 * The error for bytes that the place has lost, although they were good.
 *
 * @module
 */

import { describe } from "../text.ts";

/**
 * A backend's `append()` or `publish()` rejects with it when the snapshot never
 * becomes visible, but the same bytes may succeed when all of them are written
 * again as another snapshot. The store does so, a few times, where it can read
 * the source again.
 */
export class WriteAgainError extends Error {
  /** The class's name. */
  override readonly name = "WriteAgainError";
  /**
   * The code by which the store recognizes the error, also from another copy of
   * the package.
   */
  readonly code = "ERR_WRITE_AGAIN";

  /** Makes the error; `cause` is the failure. */
  constructor(cause: unknown) {
    super(`The state must be written again: ${describe(cause)}`, { cause });
  }
}

/** Whether a value is that error, from any copy of this package. */
export function isWriteAgain(error: unknown): error is WriteAgainError {
  return error instanceof Error &&
    (error as { readonly code?: unknown }).code === "ERR_WRITE_AGAIN";
}
