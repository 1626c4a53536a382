/**
 * A line to a handler, without a network, that a test makes fail.
 */

import type { Fetch } from "@raft/snapshots/http";

/** The fault of one answer; `asked` is the request's range, if any. */
export type Fault = (
  response: Response,
  request: Request,
) => Response | Promise<Response>;

/** Answers requests with a handler, and lets each next fault change an answer. */
export class FaultyLine {
  /** The requests, as `path range`. */
  readonly requests: string[] = [];
  /** The headers of the last request. */
  headers = new Headers();
  /** The faults of the next answers; the later ones have none. */
  readonly faults: Fault[] = [];
  /** The fault of each answer with a state. */
  onState: Fault = (response) => response;
  readonly #handler: (request: Request) => Promise<Response>;

  constructor(handler: (request: Request) => Promise<Response>) {
    this.#handler = handler;
  }

  readonly fetch: Fetch = async (url, init) => {
    const request = new Request(url, init);
    this.headers = request.headers;
    const path = new URL(url).pathname.replace(/^.*\/snapshots/, "");
    const range = request.headers.get("range") ?? "";
    this.requests.push(`${path} ${range}`.trim());
    const response = await this.#handler(request);
    const fault = this.faults.shift() ??
      (/\/\d+-\d+-\d+$/.test(path) ? this.onState : undefined);
    return fault === undefined ? response : await fault(response, request);
  };

  /** The requests for a state. */
  get ranges(): string[] {
    return this.requests.flatMap((each) => /bytes=\S+/.exec(each) ?? []);
  }
}

/** Changes the body of an answer, as bytes. */
export function changeBody(
  change: (body: Uint8Array) => Uint8Array,
): Fault {
  return async (response) => {
    const body = new Uint8Array(await response.arrayBuffer());
    const { status, headers } = response;
    return new Response(new Uint8Array(change(body)), { status, headers });
  };
}

/** The answer breaks off after some bytes: with an error, or with a clean end. */
export function cutAfter(count: number, end: "error" | "clean"): Fault {
  return async (response) => {
    const body = new Uint8Array(await response.arrayBuffer()).slice(0, count);
    let isSent = false;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (!isSent) controller.enqueue(body);
        else if (end === "clean") controller.close();
        else controller.error(new TypeError("the connection was reset"));
        isSent = true;
      },
    }, { highWaterMark: 0 });
    const { status, headers } = response;
    return new Response(stream, { status, headers });
  };
}

/** The answer stays open, and nothing comes after some bytes. */
export function stallAfter(count: number): Fault {
  return async (response) => {
    const body = new Uint8Array(await response.arrayBuffer()).slice(0, count);
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(body),
    });
    const { status, headers } = response;
    return new Response(stream, { status, headers });
  };
}

/** Another answer in its place. */
export function answerWith(
  body: string | null,
  init: ResponseInit = {},
): Fault {
  return async (response) => {
    await response.body?.cancel();
    return new Response(body, init);
  };
}

/** The answer is lost; `instead` happens. */
export function noAnswer(instead: () => Promise<Response>): Fault {
  return async (response) => {
    await response.body?.cancel();
    return await instead();
  };
}
