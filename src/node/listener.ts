/**
 * Turns a handler of web requests into a listener of `node:http` and
 * `node:https`.
 *
 * @module
 */

import type {
  IncomingMessage,
  ServerResponse,
} from "../runtime/node_streams.ts";

/** Answers a request. */
export type RequestHandler = (request: Request) => Promise<Response>;

/**
 * Makes a listener for `createServer()` of `node:http` and `node:https` of a
 * handler that reads no bodies, such as a `snapshotHandler()`. When the client
 * leaves, the body of the answer is cancelled, and the request's signal aborts.
 * An answer that fails half-way is cut off, so that the client can't take it
 * for a whole one.
 *
 * @example Serve snapshots on Node
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { bearerToken, snapshotHandler } from "@raft/snapshots/http";
 * import { toNodeListener } from "@raft/snapshots/node";
 * import { createServer } from "node:http";
 *
 * const handler = snapshotHandler(new MemorySnapshotStore(), {
 *   authorize: bearerToken("c2VjcmV0"),
 * });
 * const server = createServer(toNodeListener(handler));
 * server.listen(0, () => server.close());
 * ```
 */
export function toNodeListener(
  handler: RequestHandler,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    respond(handler, incoming, outgoing).catch((error) => {
      // The client sees that the answer is not whole.
      outgoing.destroy(error instanceof Error ? error : undefined);
    });
  };
}

async function respond(
  handler: RequestHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const closing = new AbortController();
  // This also runs after a good end, when it has no effect.
  outgoing.once("close", () => closing.abort(new Error("The client has left")));
  outgoing.on("error", () => {});
  // An unread body must not block the connection.
  incoming.resume();
  const request = toRequest(incoming, closing.signal);
  const response = request === undefined
    ? new Response(null, { status: 400 })
    : await handler(request);
  // One by one: a cookie may be set more than once.
  for (const [name, value] of response.headers) {
    outgoing.appendHeader(name, value);
  }
  outgoing.writeHead(response.status);
  if (response.body === null) outgoing.end();
  else await send(response.body, outgoing, closing.signal);
}

/** The request; `undefined` when its parts do not make one. */
function toRequest(
  { url, method, headers }: IncomingMessage,
  signal: AbortSignal,
): Request | undefined {
  try {
    const base = `http://${headers.host ?? "localhost"}`;
    const pairs = Object.entries(headers).flatMap(([name, value = []]) =>
      [value].flat().map((each): [string, string] => [name, each])
    );
    return new Request(new URL(url ?? "/", base), {
      method: method ?? "GET",
      headers: pairs,
      signal,
    });
  } catch {
    return undefined;
  }
}

/** Writes the body as fast as the client takes it. */
async function send(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const reader = body.getReader();
  // Also while the client takes nothing: it must not keep the connection when the
  // body has failed, which a handler's clock makes it do.
  reader.closed.catch(() => outgoing.destroy());
  let drained: () => void = () => {};
  outgoing.on("drain", () => drained());
  const leave = () => {
    drained();
    reader.cancel(signal.reason).catch(() => {});
  };
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined || signal.aborted) break;
    const wait = new Promise<void>((resolve) => drained = resolve);
    if (!outgoing.write(value)) await wait;
  }
  outgoing.end();
}
