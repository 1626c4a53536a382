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
  /**
   * The next bytes; none at the end. The caller owns them, until it releases
   * them if there is `release`.
   */
  next(): Promise<Bytes | undefined>;
  /**
   * Gives a chunk's buffer back for the next read; only where buffers are
   * reused.
   */
  readonly release?: ((chunk: Bytes) => void) | undefined;
  /**
   * Releases everything. May be called more than once, and during `next()`,
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
  /** Called once, when nothing more will be handed out. */
  readonly onEnd?: ((end: SourceEnd) => void) | undefined;
}

/** How a source has ended. */
export interface SourceEnd {
  /**
   * `"read"`: all has been handed out. `"failed"`: a read or a check has
   * failed. `"cancelled"`: by its consumer. `"aborted"`: from outside.
   */
  readonly how: "read" | "failed" | "cancelled" | "aborted";
  /** The error, or the reason; `undefined` when it has been read. */
  readonly reason: unknown;
}

/** A source with the fields that only its maker needs. */
export interface MadeSource {
  /** The stream; it reads only on demand. */
  readonly stream: ReadableStream<Bytes>;
  /** Bytes that the consumer has taken; bytes in a queue do not count. */
  readonly taken: number;
  /**
   * How it has ended, if it has. A consumer may hide the error, as a `Response`
   * does, so it is kept here.
   */
  readonly end: SourceEnd | undefined;
  /** Makes the stream fail, and ends the reader. */
  readonly abort: (reason: unknown) => Promise<void>;
}

/** Makes a stream of a reader's chunks. */
export function makeSource(
  reader: SourceReader,
  options: SourceOptions,
): MadeSource {
  return new Source(reader, options);
}

/** The common methods of the two controllers that an output can have. */
type OutputController = Pick<
  ReadableStreamDefaultController<Bytes>,
  "desiredSize" | "enqueue" | "error"
>;

/**
 * A queue of size 0: a chunk goes straight to the consumer that requested it.
 * Counted in bytes, so that the controller shows how many bytes wait when the
 * consumer has withdrawn its request.
 */
const NO_QUEUE: QueuingStrategy<Bytes> = {
  highWaterMark: 0,
  size: (chunk) => chunk.length,
};

class Source implements MadeSource {
  readonly #reader: SourceReader;
  readonly #options: SourceOptions;
  /** Controls the stream that the consumer has. */
  #output: OutputController | undefined;
  #enqueued = 0;
  /** Bytes in the queue at the last look. */
  #waiting = 0;
  #end: SourceEnd | undefined;
  /** The chunk that the consumer has, where its buffer is to be reused. */
  #lent: Bytes | undefined;
  readonly stream: ReadableStream<Bytes>;

  constructor(reader: SourceReader, options: SourceOptions) {
    this.#reader = reader;
    this.#options = options;
    const { checker, signal } = options;
    this.stream = checker === undefined ? this.#read() : this.#check(checker);
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get end(): SourceEnd | undefined {
    return this.#end;
  }

  get taken(): number {
    this.#look();
    return this.#enqueued - this.#waiting;
  }

  readonly abort = async (reason: unknown): Promise<void> => {
    this.#look();
    // The stream of a consumer that has cancelled is closed. An error now would
    // only make a cancel() fail that is still under way, and an unhandled
    // rejection of it would end the process.
    if (this.#end?.how !== "cancelled") this.#output?.error(reason);
    await this.#settle("aborted", reason);
  };

  readonly #onAbort = () => void this.abort(this.#options.signal?.reason);

  /** The stream of the bytes that are read, for the consumer or the check. */
  #read(): ReadableStream<Bytes> {
    const { checker } = this.#options;
    return new ReadableStream<Bytes>({
      start: (controller) => {
        // A stream that is checked may end long before the check does.
        if (checker === undefined) this.#output = controller;
      },
      pull: async (controller) => {
        try {
          const chunk = await this.#reader.next();
          if (this.#end !== undefined) return;
          if (chunk !== undefined) {
            if (checker === undefined) this.#enqueue(chunk);
            else controller.enqueue(chunk);
            if (!this.#reader.isAtEnd) return;
          }
          // A check that follows may still have the reader read bytes again.
          if (checker === undefined) await this.#settle("read");
          controller.close();
        } catch (error) {
          await this.#settle("failed", error);
          throw error;
        }
      },
      cancel: (reason) => this.#settle("cancelled", reason),
      // The reader may read ahead, so the stream needs no queue of its own.
    }, NO_QUEUE);
  }

  /** The stream piped through a check. */
  #check(checker: ByteChecker): ReadableStream<Bytes> {
    const output = { enqueue: (chunk: Bytes) => this.#enqueue(chunk) };
    const check = async (step: () => void | Promise<void>) => {
      try {
        await step();
      } catch (error) {
        void this.#settle("failed", error);
        throw error;
      }
    };
    const source = this.#read();
    const checking = new TransformStream<Bytes, Bytes>(
      {
        start: (controller) => {
          this.#output = controller;
        },
        transform: (chunk) => check(() => checker.transform(chunk, output)),
        flush: async () => {
          await check(() => checker.flush(output));
          await this.#reader.end(undefined);
        },
        // Settles at once; the cancellation reaches the stream before a little
        // later.
        cancel: (reason) => this.#settle("cancelled", reason),
      },
      undefined,
      NO_QUEUE,
    );
    source.pipeTo(checking.writable).then(
      () => this.#settle("read"),
      (error) => this.#settle("cancelled", error),
    );
    return checking.readable;
  }

  #enqueue(chunk: Bytes): void {
    this.#lend(chunk);
    this.#output?.enqueue(chunk);
    this.#enqueued += chunk.length;
    this.#look();
    this.#options.onBytes?.(this.#enqueued);
  }

  /**
   * Releases the chunk before: without a queue, a chunk comes only when it was
   * requested. (Only the last may come earlier; nothing is read after it.)
   *
   * Beside the chunk that the consumer has, the streams hold one that waits to be
   * checked, the check of a whole holds one back, and the reader reads one: three
   * or four buffers are in use.
   */
  #lend(chunk: Bytes): void {
    const { release } = this.#reader;
    if (release === undefined) return;
    if (this.#lent !== undefined) release(this.#lent);
    this.#lent = chunk;
  }

  /** Notes how many bytes wait; a stream that has ended early does not say. */
  #look(): void {
    if (this.#end !== undefined && this.#end.how !== "read") return;
    const size = this.#output?.desiredSize ?? -this.#waiting;
    this.#waiting = Math.max(-size, 0);
  }

  /** Ends the source; the first call gives the reason. */
  async #settle(how: SourceEnd["how"], reason?: unknown): Promise<void> {
    if (this.#end === undefined) {
      this.#end = { how, reason };
      this.#lent = undefined;
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
      this.#options.onEnd?.(this.#end);
    }
    await this.#reader.end(reason);
  }
}
