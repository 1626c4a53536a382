/**
 * One request and its answer, with a clock that runs while nothing comes.
 * The runtimes differ: Deno waits forever, Node for 300 seconds. Each wait is
 * raced against the clock, because `abort()` of a `fetch` alone does not reach
 * every reader of a body.
 *
 * @module
 */

import { type BodyReader, readBody } from "../runtime/body_reader.ts";
import { lengthOf } from "./body_length.ts";
import { StallError } from "./stall_error.ts";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How an exchange is made. */
export interface ExchangeOptions {
  /** Makes the request. */
  readonly fetch: Fetch;
  /** Milliseconds without a byte after which the exchange fails. */
  readonly stallMs: number;
  /** Ends the exchange when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** The body of an answer is longer than the caller allows. */
export class BodyTooLongError extends Error {
  /** The class's name. */
  override readonly name = "BodyTooLongError";

  /** Makes the error; `sizeMax` is in bytes. */
  constructor(sizeMax: number) {
    super(`the answer is longer than ${sizeMax} bytes`);
  }
}

/**
 * Makes a request, and waits for the status and headers of its answer. The
 * caller must read the body to its end, or call `end()`.
 *
 * @throws {StallError} when nothing came for too long.
 * @throws {unknown} the error of `fetch`, or the reason of the signal.
 */
export async function exchange(
  url: string,
  init: RequestInit,
  options: ExchangeOptions,
): Promise<Exchange> {
  options.signal?.throwIfAborted();
  const made = new Exchange(options);
  await made.request(url, init);
  return made;
}

/** A request under way; {@linkcode exchange} makes it. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #controller = new AbortController();
  #response: Response | undefined;
  #reader: BodyReader | undefined;
  /** Rejects the wait that is under way: there is one at a time. */
  #fail: (reason: unknown) => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;
  /** Why it was ended before its end, if it was. */
  #ended: { readonly reason: unknown } | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    options.signal?.addEventListener("abort", this.#onAbort);
  }

  /** Milliseconds without a byte after which it fails. */
  get stallMs(): number {
    return this.#options.stallMs;
  }

  /** The answer; its body is read with `next()` or `readAll()` only. */
  get response(): Response {
    if (this.#response !== undefined) return this.#response;
    throw new TypeError(
      "Cannot use the answer: the request has not been answered yet",
    );
  }

  /** Called once, by {@linkcode exchange}. */
  async request(url: string, init: RequestInit): Promise<void> {
    const { signal } = this.#controller;
    // Not as a method: the global `fetch` of some runtimes refuses that.
    const { fetch, stallMs } = this.#options;
    try {
      this.#response = await this.#wait(
        fetch(url, { ...init, signal }),
        stallMs,
        // `fetch` may ignore the signal.
        (response) => void response.body?.cancel().catch(() => {}),
      );
      const { body } = this.#response;
      if (body !== null) {
        this.#reader = readBody(body, lengthOf(this.#response));
      }
    } catch (error) {
      this.end(error);
      throw error;
    }
  }

  /**
   * The next bytes of the body, which are valid until the next call;
   * `undefined` at its end, which proves nothing: a connection that was cut can
   * end so, too.
   *
   * @throws {unknown} the reason, when it was ended before its end.
   * @throws {StallError} when nothing came for `stallMs` milliseconds.
   */
  async next(
    stallMs: number = this.#options.stallMs,
  ): Promise<Uint8Array | undefined> {
    // To read on would look like the end of the body.
    if (this.#ended !== undefined) throw this.#ended.reason;
    if (this.#reader === undefined) {
      this.#forget();
      return undefined;
    }
    try {
      const bytes = await this.#wait(this.#reader.read(), stallMs);
      if (bytes === undefined) this.#forget();
      return bytes;
    } catch (error) {
      this.end(error);
      throw error;
    }
  }

  /**
   * The whole body.
   *
   * @throws {BodyTooLongError} when it is longer than `sizeMax` bytes.
   * @throws {StallError} when nothing came for `stallMs` milliseconds.
   */
  async readAll(
    sizeMax: number,
    stallMs: number = this.#options.stallMs,
  ): Promise<Uint8Array<ArrayBuffer>> {
    // One buffer, because an object for each chunk of one byte would take a
    // hundred times the memory that the caller allows.
    let bytes = new Uint8Array();
    let size = 0;
    for (;;) {
      const chunk = await this.next(stallMs);
      if (chunk === undefined) break;
      const end = size + chunk.length;
      if (end > sizeMax) {
        const error = new BodyTooLongError(sizeMax);
        this.end(error);
        throw error;
      }
      if (end > bytes.length) {
        const length = Math.min(Math.max(end, 2 * bytes.length), sizeMax);
        const larger = new Uint8Array(length);
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(chunk, size);
      size = end;
    }
    return size === bytes.length ? bytes : bytes.slice(0, size);
  }

  /**
   * Ends it, wherever it is: a wait that is under way fails with the reason, and
   * the connection is given up. Does nothing after the end.
   */
  end(reason: unknown = new Error("The exchange was ended")): void {
    if (this.#isEnded) return;
    this.#forget();
    this.#ended = { reason };
    this.#fail(reason);
    this.#reader?.cancel(reason).catch(() => {});
    this.#controller.abort(reason);
  }

  readonly #onAbort = () => this.end(this.#options.signal?.reason);

  #forget(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Settles as the promise does, or fails when the clock or `end()` does. */
  #wait<T>(
    promise: Promise<T>,
    stallMs: number,
    onLate?: (value: T) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => this.end(new StallError(stallMs)),
        stallMs,
      );
      this.#timer = timer;
      this.#fail = reject;
      promise.then((value) => {
        clearTimeout(timer);
        if (this.#isEnded) onLate?.(value);
        resolve(value);
      }, (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
  }
}
