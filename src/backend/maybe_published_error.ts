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

  /** Makes the error; `cause` is what went wrong. */
  constructor(cause: unknown) {
    super("The snapshot may have been published", { cause });
  }
}
