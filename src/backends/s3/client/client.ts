/**
 * Requests to one bucket: signed, repeated where that is safe, and with bounded
 * answers.
 *
 * @module
 */

import type { BackendHost } from "../../../backend/backend.ts";
import {
  type Interruption,
  unlessAborted,
} from "../../../backend/interrupt.ts";
import { TIMER_MS_MAX } from "../../../backend/options.ts";
import { pause } from "../../../backend/pause.ts";
import { lengthOf } from "../../../net/body_length.ts";
import {
  BodyTooLongError,
  type Exchange,
  exchange,
  type Fetch,
} from "../../../net/exchange.ts";
import {
  REAL_WORLD,
  type ResolvedRetryOptions,
  Retry,
  type RetryWorld,
} from "../../../net/retry.ts";
import type { KeyRing, S3Credentials } from "../credentials.ts";
import { encodeKey, type ResolvedEndpoint } from "../endpoint.ts";
import type { Quote, ReadAnswer } from "./answer.ts";
import { quoteAnswer, S3Failure } from "./failure.ts";
import { networkFailure, readFailure } from "./read_failure.ts";
import { signedHeaders, type UnsignedRequest } from "./sign.ts";

/** A page of a listing of 1,000 keys of 1,024 bytes, encoded, is shorter. */
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;

/** The longest text of an error that is read, in bytes. */
const ERROR_SIZE_MAX = 64 * 1024;

const MiB = 1024 * 1024;

/**
 * The bytes that every server can copy within the stall timeout, while it sends
 * nothing.
 */
const COPIED_SIZE_PER_STALL = 128 * MiB;

/** A server may ask for a longer pause than that; it is not granted. */
const RETRY_AFTER_MS_MAX = 30_000;

/** Options of the client. */
export interface ClientOptions {
  readonly endpoint: ResolvedEndpoint;
  readonly keys: KeyRing;
  readonly fetch: Fetch;
  /**
   * Milliseconds without a byte after which an attempt has failed. The bytes of
   * an upload can't be watched: it may take so long for each MiB.
   */
  readonly stallTimeoutMs: number;
  readonly retry: ResolvedRetryOptions;
}

/** A request to the bucket. */
export interface S3Request {
  readonly method: UnsignedRequest["method"];
  /** The object; the bucket itself when it is left out. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** At most a part of a state: it is sent from memory, and may be sent again. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes that the server may copy before it answers. */
  readonly copiedSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NOTHING = new Uint8Array();

/** Makes requests to a bucket. */
export class S3Client {
  readonly #options: ClientOptions;
  /**
   * How far the server's clock was ahead of this process's, in milliseconds.
   */
  #clockAheadMs: number | undefined;
  /** Aborts when the store is closed: nothing is tried again from then on. */
  closing: Interruption | undefined;
  /** Where to report that something is tried again. */
  report: BackendHost["report"] = () => {};

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The time of the server's clock, in milliseconds since 1970. */
  get serverTime(): number {
    return Date.now() + (this.#clockAheadMs ?? 0);
  }

  /** The attempts of a request; also one that has stalled is made again. */
  retry(request: Partial<S3Request> = {}): Retry {
    const { retry } = this.#options;
    const { budgetMs } = retry;
    const longer = budgetMs === 0 ? 0 : budgetMs + this.#answerMs(request);
    const world = { ...REAL_WORLD, wait: this.#pause };
    return new Retry({ ...retry, budgetMs: longer }, request.signal, world);
  }

  /** A pause that ends with the store, which would wait for it. */
  readonly #pause: RetryWorld["wait"] = async (ms, signal) => {
    const ends = [signal, this.closing].filter((end) => end !== undefined);
    const over = new AbortController();
    try {
      await unlessAborted(pause(ms, over.signal), ends);
    } finally {
      over.abort();
    }
  };

  /** Makes a request as often as it takes; only of one that may be repeated. */
  async call<T>(request: S3Request, read: ReadAnswer<T>): Promise<T> {
    const retry = this.retry(request);
    for (;;) {
      try {
        return await this.attempt(request, read);
      } catch (error) {
        await this.pauseAfter(error, { request, retry });
      }
    }
  }

  /** Waits before the next attempt, or throws the error when it is the last. */
  async pauseAfter(
    error: unknown,
    { request, retry }: {
      readonly request: Pick<S3Request, "method" | "key">;
      readonly retry: Retry;
    },
  ): Promise<void> {
    const isTransient = error instanceof S3Failure && error.isTransient;
    if (!isTransient || this.closing?.aborted) throw error;
    const ms = Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
    try {
      await retry.pauseAfter(error, ms);
    } catch (last) {
      throw this.closing?.aborted ? error : last;
    }
    const operation = describeRequest(request);
    this.report({ type: "retrying", operation, error });
  }

  /** Makes a request once, and reads the answer. */
  async attempt<T>(request: S3Request, read: ReadAnswer<T>): Promise<T> {
    const begun = await this.begin(request);
    const { headers } = begun.response;
    const { method } = request;
    const bytes = await this.readBody(begun, ANSWER_SIZE_MAX, method);
    const text = new TextDecoder().decode(bytes);
    return read({ headers, text, quote: this.#quote });
  }

  /** A text of the server for messages. */
  readonly #quote: Quote = (text) =>
    quoteAnswer(this.#options.keys.redact(text));

  /**
   * Makes a request once, or once more with new keys when the keys may have
   * expired; resolves when a good status has come. The caller must read the body
   * to its end, or end the exchange.
   *
   * @throws {S3Failure} when it fails, or the status is an error's.
   */
  async begin(request: S3Request): Promise<Exchange> {
    const keys = await this.#keysFor(request);
    try {
      return await this.#beginOnce(request, keys);
    } catch (error) {
      const mayBeExpired = error instanceof S3Failure &&
        (error.code === "ExpiredToken" || isRefusedHead(request, error));
      if (!mayBeExpired) throw error;
      this.#options.keys.forget(keys);
      if (!this.#options.keys.canRenew) throw error;
      return await this.#beginOnce(request, await this.#keysFor(request));
    }
  }

  #keysFor({ signal }: S3Request): Promise<S3Credentials> {
    const { keys, stallTimeoutMs: timeoutMs } = this.#options;
    return keys.keys({ timeoutMs, closing: this.closing, signal });
  }

  async #beginOnce(
    request: S3Request,
    keys: S3Credentials,
  ): Promise<Exchange> {
    const begun = await this.#exchange(request, keys);
    const { response } = begun;
    this.#noteTime(response.headers);
    if (response.status >= 200 && response.status < 300) return begun;
    throw await this.#readFailure(begun, request.method);
  }

  /** How long the answer to a request may take, in milliseconds. */
  #answerMs({ body = NOTHING, copiedSize = 0 }: Partial<S3Request>): number {
    const stalls = Math.max(
      1,
      Math.ceil(body.length / MiB),
      Math.ceil(copiedSize / COPIED_SIZE_PER_STALL),
    );
    return Math.min(this.#options.stallTimeoutMs * stalls, TIMER_MS_MAX);
  }

  async #exchange(
    request: S3Request,
    keys: S3Credentials,
  ): Promise<Exchange> {
    const { fetch } = this.#options;
    const { signal, body = NOTHING } = request;
    const stallMs = this.#answerMs(request);
    const { method, url, headers } = await this.#sign(request, keys);
    const init = {
      method,
      headers,
      // Never a stream: Deno would send it without its length.
      ...(body.length > 0 || method === "PUT" ? { body } : {}),
      // A bucket in another region, which has another signature.
      redirect: "manual" as const,
    };
    try {
      return await exchange(url, init, { fetch, stallMs, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw networkFailure(error);
    }
  }

  async #sign(request: S3Request, keys: S3Credentials) {
    const { method, key = "", query = {}, headers = {} } = request;
    const { endpoint } = this.#options;
    const search = Object.entries(query)
      .map((pair) => pair.map(encodeKey).join("=").replace(/\//g, "%2F"))
      .join("&");
    const path = `${endpoint.bucketUrl}${encodeKey(key)}`;
    const url = search === "" ? path : `${path}?${search}`;
    const unsigned = { method, url, headers, body: request.body ?? NOTHING };
    const signed = await signedHeaders(unsigned, keys, endpoint.region);
    return { method, url, headers: signed };
  }

  /** Reads the body of an answer, of which there are at most `sizeMax` bytes. */
  async readBody(
    begun: Exchange,
    sizeMax: number,
    method: UnsignedRequest["method"] = "GET",
  ): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await begun.readAll(sizeMax, this.#options.stallTimeoutMs);
    } catch (error) {
      if (!(error instanceof BodyTooLongError)) throw networkFailure(error);
      const text = `found an answer of more than ${sizeMax} bytes, ` +
        "expected a shorter one";
      throw new S3Failure({ status: 200, text });
    }
    // A connection that was cut can look like an end.
    const length = lengthOf(begun.response);
    const isWhole = length === undefined || length === bytes.length;
    if (isWhole || method === "HEAD") return bytes;
    const text = `the answer ended after ${bytes.length} of ${length} bytes`;
    throw new S3Failure({ status: 0, text });
  }

  async #readFailure(begun: Exchange, method: string): Promise<S3Failure> {
    const { status, headers } = begun.response;
    const bytes = method === "HEAD"
      ? begun.end()
      // The body is not needed, and an unreadable error text says nothing.
      : await begun.readAll(ERROR_SIZE_MAX).catch(() => undefined);
    const text = new TextDecoder().decode(bytes ?? undefined);
    const answer = { headers, text, quote: this.#quote };
    return readFailure(answer, { status, method });
  }

  #noteTime(headers: Headers): void {
    const time = Date.parse(headers.get("date") ?? "");
    if (!Number.isNaN(time)) this.#clockAheadMs = time - Date.now();
  }
}

const VERBS: Readonly<Record<S3Request["method"], string>> = {
  GET: "read",
  HEAD: "look at",
  PUT: "write",
  POST: "write",
  DELETE: "remove",
};

/** The operation of a request, for messages, which name the place as well. */
function describeRequest(
  { method, key }: Pick<S3Request, "method" | "key">,
): string {
  if (key === undefined) return "list the objects";
  return `${VERBS[method]} ${key.split("/").slice(-2).join("/")}`;
}

/**
 * Whether a `HEAD` is refused with a status of expired keys. Its answer has no
 * body, so no code tells.
 */
function isRefusedHead({ method }: S3Request, { status }: S3Failure): boolean {
  return method === "HEAD" && (status === 400 || status === 403);
}
