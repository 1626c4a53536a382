/**
 * The second of the three ends of a publication.
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
  /** What the store knows it by, also when it is of another copy of the package. */
  readonly code = "ERR_MAYBE_PUBLISHED";

  /** Makes the error; `cause` is what went wrong. */
  constructor(cause: unknown) {
    super("The snapshot may have been published", { cause });
  }
}

/** Whether it is that error, of whichever copy of this package. */
export function isMaybePublished(error: unknown): error is MaybePublishedError {
  return error instanceof Error &&
    (error as { readonly code?: unknown }).code === "ERR_MAYBE_PUBLISHED";
}
