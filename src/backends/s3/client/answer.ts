/**
 * Answers of the server.
 *
 * @module
 */

/** A part of a server's text in quotes, cut, and without the keys. */
export type Quote = (text: string) => string;

/** An answer that has come whole. */
export interface S3Answer {
  readonly headers: Headers;
  readonly text: string;
  /** Makes a part of its text fit for a message. */
  readonly quote: Quote;
}

/** Reads an answer; throws an `S3Failure` when it is not valid. */
export type ReadAnswer<T> = (answer: S3Answer) => T;

/** The status says it all. */
export const readNothing: ReadAnswer<void> = () => {};
