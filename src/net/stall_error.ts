/**
 * The error of a connection that is open and silent.
 *
 * @module
 */

/** The other side has sent nothing for too long. */
export class StallError extends Error {
  /** The class's name. */
  override readonly name = "StallError";

  /** Makes the error; `stallMs` is how long nothing came, in milliseconds. */
  constructor(stallMs: number) {
    super(`the other side has sent nothing for ${stallMs} ms`);
  }
}
