/**
 * A request by Node's own client, which Deno and Bun have as well: `fetch` takes
 * certificates on none of them in the same way, and decompresses the answer.
 */

import {
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { request as requestHttps } from "node:https";

/** How a connection is encrypted; certificates and keys in PEM. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
}

/** How a request is made. */
export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
  /** How long the server may send nothing, in milliseconds. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/** An answer whose status has come. The caller must read it out or close it. */
export interface Answer {
  readonly status: number;
  /** A header; the first, when the server sent several of the name. */
  header(name: string): string | undefined;
  /**
   * The bytes as they came; throws when the server is silent, or the connection
   * breaks. That may also look like an end, which proves nothing.
   */
  chunks(): AsyncGenerator<Uint8Array, void, void>;
  /** Ends it, wherever it is. */
  close(): void;
}

/** The server is silent. */
export class SilentServerError extends Error {
  override readonly name = "SilentServerError";

  constructor(stallMs: number) {
    super(`the server has sent nothing for ${stallMs / 1000} s`);
  }
}

/** Sends a GET, and waits for the status. Redirects are the caller's. */
export async function get(url: URL, options: RequestOptions): Promise<Answer> {
  const { headers, tls, signal } = options;
  signal.throwIfAborted();
  const send = /^https/.test(url.protocol) ? requestHttps : requestHttp;
  // A connection of its own: none stays open between backups.
  const request = send(url, { headers, agent: false, ...given(tls) });
  // Also when nothing waits for it: an event of an error ends the process.
  request.on("error", () => {});
  const watch = new Watch(options, request);
  try {
    const response = await watch.wait(answered(request));
    return new NodeAnswer(response, watch);
  } catch (error) {
    watch.end();
    throw error;
  }
}

function given(tls: TlsOptions): Partial<TlsOptions> {
  return Object.fromEntries(
    Object.entries(tls).filter(([, value]) => value !== undefined),
  );
}

function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
    request.once("close", () => reject(new Error("the connection was closed")));
    request.end();
  });
}

/** Ends a request that is aborted, or whose server is silent. */
class Watch {
  readonly #options: RequestOptions;
  readonly #request: ClientRequest;
  /** Rejects the wait that is under way: there is one at a time. */
  #fail: (reason: unknown) => void = () => {};

  constructor(options: RequestOptions, request: ClientRequest) {
    this.#options = options;
    this.#request = request;
    options.signal.addEventListener("abort", this.#onAbort);
  }

  /** Settles as the promise does, unless it takes too long. */
  wait<T>(promise: Promise<T>): Promise<T> {
    const { stallMs } = this.#options;
    return new Promise<T>((resolve, reject) => {
      this.#fail = reject;
      const timer = setTimeout(
        () => reject(new SilentServerError(stallMs)),
        stallMs,
      );
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  end(): void {
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#request.destroy();
  }

  // Not every runtime ends a read when its request is destroyed.
  readonly #onAbort = () => this.#fail(this.#options.signal.reason);
}

class NodeAnswer implements Answer {
  readonly #response: IncomingMessage;
  readonly #watch: Watch;

  constructor(response: IncomingMessage, watch: Watch) {
    this.#response = response;
    this.#watch = watch;
    response.on("error", () => {});
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  header(name: string): string | undefined {
    const value = this.#response.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    const iterator = this.#response[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#watch.wait(iterator.next());
        if (done) break;
        yield value as Uint8Array;
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#watch.end();
    this.#response.destroy();
  }
}
