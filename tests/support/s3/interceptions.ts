/**
 * Single requests that go another way than to the server.
 */

import type { Fetch } from "../../../src/net/exchange.ts";

/** Whether a request is meant. */
export type Meant = (url: string, init: RequestInit) => boolean;

/** Whether a request is for an object of that name, by one of the methods. */
export function requestFor(methods: string, name: string): Meant {
  return (url, { method = "GET" }) =>
    methods.split(" ").includes(method) &&
    new URL(url).pathname.endsWith(`/${name}`);
}

/** Answers the first request of a kind in another way. */
export function once(
  fetch: Fetch,
  isMeant: Meant,
  answer: (send: () => Promise<Response>) => Promise<Response>,
): Fetch {
  let isDone = false;
  return (url, init) => {
    const send = () => fetch(url, init);
    if (isDone || !isMeant(url, init)) return send();
    isDone = true;
    return answer(send);
  };
}

/** Answers every request of a kind in another way. */
export function always(
  fetch: Fetch,
  isMeant: Meant,
  answer: (send: () => Promise<Response>) => Promise<Response>,
): Fetch {
  return (url, init) => {
    const send = () => fetch(url, init);
    return isMeant(url, init) ? answer(send) : send();
  };
}

/** The server carries the request out, and its answer is lost. */
export async function loseAnswer(
  send: () => Promise<Response>,
): Promise<Response> {
  await send();
  throw new TypeError("connection reset");
}

/** Holds requests until it is opened. */
export class Gate {
  /** Lets every request pass from now on. */
  open: () => void = () => {};
  #noteArrival = () => {};
  readonly #opened = new Promise<void>((resolve) => this.open = resolve);
  /** Resolves when the first request has come. */
  readonly reached: Promise<void> = new Promise((resolve) =>
    this.#noteArrival = resolve
  );

  /** Sends the request when the gate is open. */
  readonly pass = async (send: () => Promise<Response>): Promise<Response> => {
    this.#noteArrival();
    await this.#opened;
    return await send();
  };
}
