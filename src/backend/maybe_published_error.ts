/**
 * The error for a publication whose outcome is uncertain.
 *
 * @module
 */

/**
 * A backend's `publish()` rejects with it when the snapshot is visible, or may
 * be or become visible, and it is not certain that it survives a power cut.
 */
export class MaybePublishedError extends Error {
  /** The class's name. */
  override readonly name = "MaybePublishedError";
  /**
   * The code by which the store recognizes the error, also from another copy of
   * the package.
   */
  readonly code = "ERR_MAYBE_PUBLISHED";

  /** Makes the error; `cause` is the failure. */
  constructor(cause: unknown) {
    super("The snapshot may have been published", { cause });
  }
}

/** Whether a value is that error, from any copy of this package. */
export function isMaybePublished(error: unknown): error is MaybePublishedError {
  return error instanceof Error &&
    (error as { readonly code?: unknown }).code === "ERR_MAYBE_PUBLISHED";
}
