/**
 * Requests to a snapshot server, with further attempts.
 *
 * @module
 */

import type { BackendHost } from "../../backend/backend.ts";
import { crc64 } from "../../crc64/mod.ts";
import { SnapshotError, StoreAccessError } from "../../errors.ts";
import { type Exchange, exchange } from "../../net/exchange.ts";
import {
  CERTIFICATE_HINT,
  describeNetwork,
  isCertificateError,
} from "../../net/network_error.ts";
import { Retry } from "../../net/retry.ts";
import { printable, shorten } from "../../text.ts";
import type { ResolvedHttpOptions } from "./options.ts";
import { etagOf } from "./protocol.ts";
import {
  type Asked,
  readAllowed,
  refusalOf,
  UnexpectedAnswerError,
} from "./refusal.ts";

/** A small part, which is read as a whole. */
export interface SmallPart extends Omit<Asked, "place"> {
  /** The path below the server's address. */
  readonly path: string;
  /** The name in its validator. */
  readonly name: string;
  /** Its greatest length, in bytes. */
  readonly sizeMax: number;
}

/** Makes requests to one server. */
export class HttpClient {
  /** The server's address, for messages. */
  readonly place: string;
  /** Called with each further attempt. */
  report: BackendHost["report"] = () => {};
  readonly #options: ResolvedHttpOptions;
  /** Ends each call that is under way. */
  readonly #calls = new Set<AbortController>();

  constructor(place: string, options: ResolvedHttpOptions) {
    this.place = place;
    this.#options = options;
  }

  /**
   * The bytes of a small part, checked against their validator.
   *
   * @throws {StoreAccessError} when the server does not give them in time, or
   * gives more than `sizeMax`.
   * @throws {SnapshotNotFoundError} and other errors about the snapshot, when
   * the server says so.
   */
  readWhole(part: SmallPart): Promise<Uint8Array<ArrayBuffer>> {
    const asked = { ...part, place: this.place };
    return this.retrying(asked.what, async (retry, signal) => {
      const { path, name, sizeMax } = part;
      const got = await this.request(path, {}, { retry, signal });
      if (got.response.status !== 200) throw await refusalOf(got, asked);
      const etag = got.response.headers.get("etag");
      const bytes = await readAllowed(got, sizeMax, asked);
      if (etag === etagOf(name, crc64(bytes))) return bytes;
      throw new UnexpectedAnswerError(
        `the answer does not match its ETag, found ` +
          printable(shorten(etag ?? "none")),
      );
    });
  }

  /**
   * Makes an attempt, and further ones until one succeeds. An attempt that
   * rejects with an error of this library is the last one.
   *
   * @throws {StoreAccessError} when there was no success within the budget, or
   * the server's certificate is not trusted.
   */
  async retrying<T>(
    what: string,
    attempt: (retry: Retry, signal: AbortSignal) => Promise<T>,
    call = new AbortController(),
  ): Promise<T> {
    const { signal } = call;
    const retry = new Retry(this.#options.retry, signal);
    this.#calls.add(call);
    try {
      for (;;) {
        try {
          return await attempt(retry, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof SnapshotError) throw error;
          if (isCertificateError(error)) throw this.#untrusted(what, error);
          await this.#pauseAfter(error, { what, retry });
          this.report({ type: "retrying", operation: `read ${what}`, error });
        }
      }
    } finally {
      this.#calls.delete(call);
    }
  }

  async #pauseAfter(
    error: unknown,
    { what, retry }: { readonly what: string; readonly retry: Retry },
  ): Promise<void> {
    const { afterMs } = error instanceof UnexpectedAnswerError
      ? error
      : { afterMs: 0 };
    try {
      await retry.pauseAfter(error, afterMs);
    } catch (last) {
      if (last !== error) throw last;
      const { budgetMs } = this.#options.retry;
      const why = afterMs > budgetMs
        ? `the server asks for a pause of ${afterMs / 1000} s`
        : `no progress for ${Number((retry.idleMs / 1000).toPrecision(2))} s`;
      throw new StoreAccessError(
        `Cannot read ${what} from ${this.place}: ${why}; ` +
          `the last attempt: ${describeNetwork(error)}`,
        { cause: error },
      );
    }
  }

  #untrusted(what: string, error: unknown): StoreAccessError {
    return new StoreAccessError(
      `Cannot read ${what} from ${this.place}: ${describeNetwork(error)}; ` +
        CERTIFICATE_HINT,
      { cause: error },
    );
  }

  /** Makes one request. The caller must read the answer out or end it. */
  async request(
    path: string,
    headers: Readonly<Record<string, string>>,
    { retry, signal }: { readonly retry: Retry; readonly signal: AbortSignal },
  ): Promise<Exchange> {
    const all = new Headers(this.#options.headers);
    // Some runtimes request compression, which would make ranges and lengths
    // wrong.
    all.set("accept-encoding", "identity");
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const { fetch } = this.#options;
    const made = await exchange(`${this.place}/${path}`, {
      headers: all,
      // A redirect would take the headers, and so the token, elsewhere.
      redirect: "manual",
    }, { fetch, stallMs: this.stallMs(retry), signal });
    this.#requirePlain(made);
    return made;
  }

  /** Some runtimes would take compressed bytes for those of the snapshot. */
  #requirePlain(made: Exchange): void {
    const encoding = made.response.headers.get("content-encoding") ?? "";
    if (!made.response.ok || ["", "identity"].includes(encoding)) return;
    const error = new StoreAccessError(
      `Cannot read from ${this.place}: the answer is compressed (` +
        `${printable(shorten(encoding))}), although that was not asked for; ` +
        "let the proxy on the way leave the answers as they are",
    );
    made.end(error);
    throw error;
  }

  /** How long to wait for a byte now: the budget ends a wait, too. */
  stallMs(retry: Retry): number {
    return Math.ceil(Math.min(this.#options.stallMs, retry.leftMs));
  }

  /** Ends all calls. */
  close(): void {
    const reason = new StoreAccessError(`${this.place} has been closed`);
    for (const call of this.#calls) call.abort(reason);
  }
}
