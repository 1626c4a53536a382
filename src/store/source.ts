/**
 * The reading end of a snapshot as a web stream: the one source that every
 * store, and the reader of archives, is made with; the counterpart of
 * `sink.ts`.
 *
 * @module
 */

import type { ByteChecker } from "../crc64/check_stream.ts";

/** The bytes of a source, on a buffer of their own. */
type Bytes = Uint8Array<ArrayBuffer>;

/** Where the bytes of a source come from. */
export interface SourceReader {
  /** Whether everything has been handed out, when that is known. */
  readonly isAtEnd?: boolean;
  /** The next bytes, which are the caller's to keep; none at the end. */
  next(): Promise<Bytes | undefined>;
  /**
   * Lets go of all that it holds. May come more than once, and during `next()`,
   * which must then end soon. Never rejects.
   */
  end(reason: unknown): Promise<void>;
}

/** How a source is to behave. */
export interface SourceOptions {
  /**
   * Checks the bytes on their way, in a `TransformStream` that the bytes are
   * piped through. Without it they are handed out as the reader gives them.
   */
  readonly checker?: ByteChecker;
  /** Errors the source when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes are handed out, with how many there have been. */
  readonly onBytes?: ((done: number) => void) | undefined;
  /**
   * Called with the error of a failed read before the consumer gets it, because
   * the consumer may hide the error, as a `Response` does.
   */
  readonly onReadFailure?: ((error: unknown) => void) | undefined;
  /**
   * Called once, when the last byte has been handed out, or the source has
   * failed or was cancelled; with the reason unless it has come to its end.
   */
  readonly onSettled?: ((error?: unknown) => void) | undefined;
}

/** A source that can be ended from outside. */
export interface MadeSource {
  /** The stream; it reads only what its consumer asks for. */
  readonly stream: ReadableStream<Bytes>;
  /** Makes the stream fail, and ends the reader. */
  readonly abort: (reason: unknown) => Promise<void>;
}

/** Makes a stream of a reader's chunks. */
export function makeSource(
  reader: SourceReader,
  options: SourceOptions,
): MadeSource {
  const source = new Source(reader, options);
  return { stream: source.stream, abort: source.abort };
}

class Source {
  readonly #reader: SourceReader;
  readonly #options: SourceOptions;
  #done = 0;
  #isSettled = false;
  /** Errors the stream that the consumer has. */
  #fail: (reason: unknown) => void = () => {};
  readonly stream: ReadableStream<Bytes>;

  constructor(reader: SourceReader, options: SourceOptions) {
    this.#reader = reader;
    this.#options = options;
    const { checker, signal } = options;
    this.stream = checker === undefined
      ? this.#read((chunk) => this.#count(chunk))
      : this.#check(checker);
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly abort = async (reason: unknown): Promise<void> => {
    this.#fail(reason);
    await this.#settle(reason);
  };

  readonly #onAbort = () => void this.abort(this.#options.signal?.reason);

  /** The stream; nothing is read before the consumer asks. */
  #read(onChunk: (chunk: Bytes) => void): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>({
      start: (controller) => {
        this.#fail = (reason) => controller.error(reason);
      },
      pull: async (controller) => {
        try {
          const chunk = await this.#next();
          if (this.#isSettled) return;
          if (chunk !== undefined) {
            controller.enqueue(chunk);
            onChunk(chunk);
            if (!this.#reader.isAtEnd) return;
          }
          if (this.#options.checker === undefined) await this.#settle();
          else await this.#reader.end(undefined);
          controller.close();
        } catch (error) {
          await this.#settle(error);
          throw error;
        }
      },
      cancel: (reason) => this.#settle(reason),
      // The reader may read ahead, so the stream needs no queue of its own.
    }, { highWaterMark: 0 });
  }

  async #next(): Promise<Bytes | undefined> {
    try {
      return await this.#reader.next();
    } catch (error) {
      this.#options.onReadFailure?.(error);
      throw error;
    }
  }

  /** The stream piped through a check. */
  #check(checker: ByteChecker): ReadableStream<Bytes> {
    let enqueue: (chunk: Bytes) => void = () => {};
    const output = {
      enqueue: (chunk: Bytes) => {
        enqueue(chunk);
        this.#count(chunk);
      },
    };
    const source = this.#read(() => {});
    const check = new TransformStream<Bytes, Bytes>({
      start: (controller) => {
        // Here, not in the stream before: that may have been read to its end.
        this.#fail = (reason) => controller.error(reason);
        enqueue = (chunk) => controller.enqueue(chunk);
      },
      transform: (chunk) => checker.transform(chunk, output),
      flush: () => checker.flush(output),
    });
    source.pipeTo(check.writable).then(
      () => this.#settle(),
      (error) => this.#settle(error),
    );
    return check.readable;
  }

  #count(chunk: Bytes): void {
    this.#done += chunk.length;
    this.#options.onBytes?.(this.#done);
  }

  /** Nothing more will be handed out. */
  async #settle(...reason: [error?: unknown]): Promise<void> {
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
      this.#options.onSettled?.(...reason);
    }
    await this.#reader.end(reason[0]);
  }
}
