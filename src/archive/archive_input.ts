/**
 * Reads an archive from a stream or an iterable.
 *
 * @module
 */

import { toBytes } from "../bytes.ts";

/** The bytes of an archive: as a stream, or as chunks of any size. */
export type ArchiveBytes =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Reads an archive's chunks, and can be stopped during a read. */
export class ArchiveInput {
  readonly #chunks: Chunks;
  readonly #onUsed: ((chunk: Uint8Array) => Promise<void>) | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  /** The last chunk that was handed out. */
  #last: Uint8Array | undefined;
  /** Makes the pending read reject. */
  #stopRead: (reason: unknown) => void = () => {};

  /**
   * Locks a stream. `onUsed` is called with each chunk when the next one is
   * requested, and so after the chunk has been checked; the next chunk waits
   * for the call.
   *
   * @throws {TypeError} when `archive` is locked, or neither a stream nor an
   * iterable.
   */
  constructor(
    archive: ArchiveBytes,
    onUsed?: (chunk: Uint8Array) => Promise<void>,
  ) {
    this.#chunks = chunksOf(archive);
    this.#onUsed = onUsed;
  }

  /**
   * The next chunk, or `undefined` at the end. Rejects with the reason once it
   * has been cancelled, because a cancelled archive has not ended.
   */
  readonly next = async (): Promise<Uint8Array | undefined> => {
    this.#requireWanted();
    const { done, value } = await this.#read();
    this.#requireWanted();
    if (done) return undefined;
    return this.#last = toBytes(value, "an archive");
  };

  /** Cancels the archive; harmless at its end, and when called again. */
  readonly cancel = async (reason: unknown): Promise<void> => {
    this.#cancelled ??= { reason };
    this.#stopRead(reason);
    try {
      await this.#chunks.cancel(reason);
    } catch {
      // The archive may have failed, which may be why it is cancelled.
    }
  };

  #requireWanted(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
  }

  #read(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#stopRead = reject;
      this.#readNext().then(resolve, reject);
    });
  }

  async #readNext(): Promise<Result> {
    const used = this.#last;
    this.#last = undefined;
    if (used !== undefined) await this.#onUsed?.(used);
    this.#requireWanted();
    return await this.#chunks.next();
  }
}

interface Result {
  readonly done?: boolean | undefined;
  readonly value?: unknown;
}

interface Chunks {
  next(): Promise<Result>;
  cancel(reason: unknown): void | Promise<void>;
}

function chunksOf(archive: ArchiveBytes): Chunks {
  const isObject = typeof archive === "object" && archive !== null;
  // A stream is also an iterable, but only a reader can cancel with a reason.
  if (isObject && "getReader" in archive) {
    const reader = archive.getReader();
    return {
      next: () => reader.read(),
      cancel: (reason) => reader.cancel(reason),
    };
  }
  if (isObject && Symbol.asyncIterator in archive) {
    const iterator = archive[Symbol.asyncIterator]();
    return {
      next: () => iterator.next(),
      // Not awaited: a generator returns only after the chunk that it is
      // waiting for, which may never come.
      cancel: () => void iterator.return?.().catch(() => {}),
    };
  }
  const found = archive === null ? "null" : typeof archive;
  throw new TypeError(
    `Cannot read an archive: found ${found}, expected a ReadableStream or an ` +
      "async iterable of bytes (of bytes in memory, new Blob([bytes]).stream())",
  );
}
