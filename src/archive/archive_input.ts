/**
 * The stream that an archive comes in on.
 *
 * @module
 */

import { toBytes } from "../bytes.ts";

/** Reads a stream, and can be told to stop while a read is under way. */
export class ArchiveInput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #cancelled: { readonly reason: unknown } | undefined;

  /** Locks the stream. @throws {TypeError} when it is locked. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /**
   * The next chunk, or `undefined` at the end. Rejects with the reason once it
   * has been cancelled, for that is not the end.
   */
  readonly next = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await this.#reader.read();
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
    return done ? undefined : toBytes(value, "an archive");
  };

  /** Cancels the stream; harmless at its end, and when called again. */
  readonly cancel = async (reason: unknown): Promise<void> => {
    this.#cancelled ??= { reason };
    // It may have failed, and that is what brought us here.
    await this.#reader.cancel(reason).catch(() => {});
  };
}
