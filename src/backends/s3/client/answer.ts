/**
 * Answers of the server.
 *
 * @module
 */

/** An answer that has come whole. */
export interface S3Answer {
  readonly headers: Headers;
  readonly text: string;
  /** A part of its text in quotes, cut, and without the keys. */
  readonly quote: (text: string) => string;
}

/** Reads an answer; throws an `S3Failure` when it is not valid. */
export type ReadAnswer<T> = (answer: S3Answer) => T;

/** The status says it all. */
export const readNothing: ReadAnswer<void> = () => {};
