/**
 * A failing network between a store and its server.
 */

import type { Fetch } from "../../../src/net/exchange.ts";

/** How one request fails. */
export type Fault =
  /** It does not reach the server. */
  | "lost request"
  /** The server carries it out, and its answer is lost. */
  | "lost answer"
  /** The server carries it out when the store has tried again. */
  | "late request"
  /** A proxy sends it twice, and hands on the second answer. */
  | "sent twice"
  | "500 before"
  | "500 after"
  | "503 before"
  /** The server carries it out, and the body of its answer is cut. */
  | "cut answer"
  /** The same, and the half that comes looks like the whole. */
  | "answer cut cleanly"
  /** It does not reach the server, and no answer comes. */
  | "stall before"
  /** The server carries it out, and no answer comes. */
  | "stall after"
  /** The status comes, and no body. */
  | "stalled body";

/** All of them. */
export const FAULTS: readonly Fault[] = [
  "lost request",
  "lost answer",
  "late request",
  "sent twice",
  "500 before",
  "500 after",
  "503 before",
  "cut answer",
  "answer cut cleanly",
  "stall before",
  "stall after",
  "stalled body",
];

/** A request, as a plan of faults sees it. */
export interface SeenRequest {
  /** How many came before. */
  readonly number: number;
  /** `METHOD path?query`, the same when it is tried again. */
  readonly name: string;
}

/** Decides how a request fails, if it does. */
export type FaultPlan = (request: SeenRequest) => Fault | undefined;

/** Puts faults between a store and a server. */
export class FaultyNetwork {
  readonly #fetch: Fetch;
  readonly #plan: FaultPlan;
  /** Everything that the server has been sent, or will be. */
  readonly #sent = new Set<Promise<unknown>>();
  /** Every request so far. */
  readonly requests: string[] = [];

  constructor(fetch: Fetch, plan: FaultPlan = () => undefined) {
    this.#fetch = fetch;
    this.#plan = plan;
  }

  /** The `fetch` for the store. */
  readonly fetch: Fetch = async (url, init) => {
    const { pathname, search } = new URL(url);
    const name = `${init.method} ${pathname}${search}`;
    const number = this.requests.push(name) - 1;
    const fault = this.#plan({ number, name });
    // The server carries out a request even when the store gives up waiting.
    const { signal, ...rest } = init;
    const work = fault === undefined
      ? this.#fetch(url, rest)
      : this.#fail(fault, url, rest, signal);
    this.#sent.add(work);
    return await Promise.race([work, forever(signal)]);
  };

  /** Resolves when nothing more will reach the server. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sent);
  }

  async #fail(
    fault: Fault,
    url: string,
    init: RequestInit,
    signal: AbortSignal | null | undefined,
  ): Promise<Response> {
    const send = () => this.#fetch(url, init);
    const carryOut = async () => void await (await send()).arrayBuffer();
    switch (fault) {
      case "lost request":
        throw new TypeError("connection refused");
      case "lost answer":
        await carryOut();
        throw new TypeError("connection reset");
      case "late request":
        this.#sent.add(later().then(carryOut));
        throw new TypeError("connection reset");
      case "sent twice":
        await carryOut();
        return await send();
      case "500 after":
        await carryOut();
        return answer(500, "InternalError");
      case "500 before":
        return answer(500, "InternalError");
      case "503 before":
        return answer(503, "SlowDown");
      case "cut answer":
        return await cut(await send(), "with an error");
      case "answer cut cleanly":
        return await cut(await send(), "cleanly");
      case "stall before":
        return await forever(signal);
      case "stall after":
        await carryOut();
        return await forever(signal);
      case "stalled body": {
        const { status, headers } = await send();
        const isEmpty = status === 204 || init.method === "HEAD";
        const body = isEmpty ? null : new ReadableStream();
        return new Response(body, { status, headers });
      }
    }
  }
}

/** After the store has tried again, which takes it a millisecond. */
function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function answer(status: number, code: string): Response {
  const text =
    `<Error><Code>${code}</Code><Message>try again</Message></Error>`;
  return new Response(text, { status });
}

async function cut(
  response: Response,
  how: "with an error" | "cleanly",
): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { status, headers } = response;
  if (bytes.length === 0) throw new TypeError("connection reset");
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, bytes.length >> 1));
    },
    pull(controller) {
      if (how === "cleanly") controller.close();
      else controller.error(new TypeError("connection reset"));
    },
  });
  return new Response(body, { status, headers });
}

/** Never answers, until the store gives up. */
function forever(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    // It may have given up while the server was at work.
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}
