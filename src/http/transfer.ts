/**
 * The body of an answer: sends a state to a client that may be slow, stall or
 * leave.
 *
 * @module
 */

import { pause } from "../backend/pause.ts";

/**
 * Bytes that are handed over at a time: a client that takes one within the
 * stall time has not stalled.
 */
const PIECE_SIZE = 256 * 1024;

/** Pieces of a second when the rate is limited, so that pauses stay short. */
const PIECES_PER_SECOND = 10;

/** How a transfer is made. */
export interface TransferOptions {
  /** Milliseconds after which a client that takes no bytes is given up. */
  readonly stallTimeoutMs: number;
  /** The most bytes a second; infinite when there is no limit. */
  readonly bytesPerSecond: number;
  /** Called once, at the end; with the reason unless it is the last byte. */
  readonly onEnd: (error?: unknown) => void;
}

/**
 * How long to wait for the first bytes. Until then the server can't tell whether
 * the client has left.
 */
const FIRST_BYTES_MS = 1_000;

type Reading = Promise<ReadableStreamReadResult<Uint8Array>>;

/**
 * A stream of the same bytes that ends as the options say. It resolves when the
 * first bytes are read, or soon: when they are corrupt, the answer can say so,
 * and need not break off.
 */
export async function transfer(
  source: ReadableStream<Uint8Array>,
  options: TransferOptions,
): Promise<ReadableStream<Uint8Array>> {
  const reader = source.getReader();
  const first = reader.read();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FIRST_BYTES_MS);
  });
  try {
    await Promise.race([first, late]);
  } finally {
    clearTimeout(timer);
  }
  // Awaited when the client asks for bytes; until then it is not "unhandled".
  first.catch(() => {});
  return new Transfer(reader, first, options).stream;
}

class Transfer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: TransferOptions;
  readonly #pieceSize: number;
  /** Bytes that were read and not handed over yet. */
  #rest: Uint8Array = new Uint8Array();
  /** The first read, until its bytes are taken. */
  #first: Reading | undefined;
  /** Runs while the reader has something to take. */
  #clock: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;
  /** Ends a pause. */
  readonly #ending = new AbortController();

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    first: Reading,
    options: TransferOptions,
  ) {
    this.#reader = reader;
    this.#first = first;
    this.#options = options;
    const share = Math.ceil(options.bytesPerSecond / PIECES_PER_SECOND);
    this.#pieceSize = Math.min(PIECE_SIZE, share);
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => this.#watch(controller),
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => this.#end(reason ?? new Error("The client has left")),
    }, { highWaterMark: 0 });
  }

  async #pull(
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    clearTimeout(this.#clock);
    try {
      const piece = await this.#nextPiece();
      if (this.#isEnded) return;
      if (piece === undefined) {
        this.#end();
        controller.close();
        return;
      }
      controller.enqueue(piece);
      this.#watch(controller);
    } catch (error) {
      if (this.#isEnded) return;
      this.#end(error);
      throw error;
    }
  }

  async #nextPiece(): Promise<Uint8Array | undefined> {
    // A chunk may be empty, and an empty piece may look like the end.
    while (this.#rest.length === 0) {
      const reading = this.#first ?? this.#reader.read();
      this.#first = undefined;
      const { value } = await reading;
      if (value === undefined) return undefined;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, this.#pieceSize);
    this.#rest = this.#rest.subarray(piece.length);
    const { bytesPerSecond } = this.#options;
    if (bytesPerSecond !== Infinity) {
      await pause(piece.length * 1000 / bytesPerSecond, this.#ending.signal);
    }
    return piece;
  }

  /**
   * Starts the stall clock: the client must take bytes now. The server's own
   * pauses do not count.
   */
  #watch(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { stallTimeoutMs } = this.#options;
    this.#clock = setTimeout(() => {
      const error = new Error(
        `The client has taken no bytes for ${stallTimeoutMs} ms`,
      );
      controller.error(error);
      this.#end(error);
    }, stallTimeoutMs);
  }

  /** Frees the file. */
  #end(...reason: [error?: unknown]): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#clock);
    this.#ending.abort();
    this.#reader.cancel(reason[0]).catch(() => {});
    this.#options.onEnd(...reason);
  }
}
