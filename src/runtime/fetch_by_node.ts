/**
 * Requests by `node:http` instead of Node's `fetch`, for large answers. `fetch`
 * allocates three buffers for each 64 KiB and copies into two of them; the
 * garbage makes the engine mark its whole heap again and again. Here a socket
 * reads into one buffer, and an install takes half of the processor time.
 *
 * @module
 */

import { node } from "./node.ts";
import type {
  Agent,
  AgentOptions,
  Duplex,
  IncomingMessage,
} from "./node_streams.ts";

/** Bytes that a socket reads at once. */
const READ_BYTES = 64 * 1024;

/** Bytes of a body that may wait for its reader. */
const WAITING_BYTES = 256 * 1024;

/**
 * Milliseconds for which a connection waits for a further request: less than
 * servers wait, and as long as `fetch` does.
 */
const IDLE_MS = 4_000;

/** Milliseconds in which a connection must be made, as with `fetch`. */
const CONNECT_MS = 10_000;

/** The headers that `fetch` adds; some firewalls refuse requests without. */
const USUAL_HEADERS = { "accept": "*/*", "user-agent": "node" };

/** The answers that have no body; a `Response` refuses to have one. */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/** As `fetch(url, init)` with `redirect: "manual"`; a body is bytes. */
export async function fetchByNode(
  url: string,
  init: RequestInit,
): Promise<Response> {
  const { method = "GET" } = init;
  try {
    return await makeRequest(url, init);
  } catch (error) {
    // The server has closed the connection just when it was to be used again.
    const isStale = error instanceof StaleConnectionError;
    if (isStale && ["GET", "HEAD"].includes(method)) {
      return await makeRequest(url, init);
    }
    throw isStale ? error.cause : error;
  }
}

/** A connection that had been used before was closed, without an answer. */
class StaleConnectionError extends Error {}

function makeRequest(
  url: string,
  { method = "GET", headers, body, signal }: RequestInit,
): Promise<Response> {
  const { request } = node[moduleFor(url)];
  return new Promise((resolve, reject) => {
    const made = request(url, {
      method,
      headers: {
        ...USUAL_HEADERS,
        ...Object.fromEntries(new Headers(headers)),
      },
      agent: agentFor(url),
      ...(signal ? { signal } : {}),
    });
    const causeOf = (error: unknown) => signal?.aborted ? signal.reason : error;
    made.on("response", (answer) => {
      // Otherwise the request would wait for a server that reads no more of it.
      answer.on("end", () => made.writableFinished || made.destroy());
      try {
        resolve(responseOf(answer, causeOf));
      } catch (error) {
        answer.destroy();
        reject(error);
      }
    });
    const fail = (cause: Error & { readonly code?: unknown }) => {
      const isStale = made.reusedSocket && cause.code === "ECONNRESET";
      const error = isStale ? new StaleConnectionError("", { cause }) : cause;
      reject(causeOf(error));
    };
    made.on("error", fail);
    // Also when the server wants to speak another protocol.
    made.on("close", () => fail(new Error("the connection was closed")));
    // At once, so that Node adds the length.
    made.end(body as Uint8Array | null | undefined);
  });
}

/** The error to tell when another one has come up. */
type CauseOf = (error: unknown) => unknown;

function responseOf(answer: IncomingMessage, causeOf: CauseOf): Response {
  const { rawHeaders, statusCode: status = 0 } = answer;
  if (status > 599) throw new Error(`the server has answered ${status}`);
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  }
  const hasBody = !WITHOUT_BODY.includes(status);
  // Otherwise the connection would wait for a reader.
  if (!hasBody) answer.resume();
  return new Response(hasBody ? bodyOf(answer, causeOf) : null, {
    status,
    headers,
  });
}

function bodyOf(
  answer: IncomingMessage,
  causeOf: CauseOf,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      const end = (settle: () => void) => {
        if (!isOver) settle();
        isOver = true;
      };
      answer.on("data", (chunk: Uint8Array) => {
        if (isOver) return;
        controller.enqueue(withOwnBuffer(chunk));
        if ((controller.desiredSize ?? 0) <= 0) answer.pause();
      });
      answer.on("end", () => end(() => controller.close()));
      const fail = (error: unknown) =>
        end(() => controller.error(causeOf(error)));
      answer.on("error", fail);
      answer.on("close", () => fail(new Error("the connection was closed")));
      answer.pause();
    },
    pull() {
      answer.resume();
    },
    cancel() {
      isOver = true;
      answer.destroy();
    },
  }, { highWaterMark: WAITING_BYTES });
}

/** The buffers that sockets read into. */
const readBuffers = new WeakSet<ArrayBufferLike>();

/**
 * A byte stream takes the buffer of a chunk, so no other may need that. Node's
 * parser gives each chunk one of its own; its documentation does not say so.
 */
export function withOwnBuffer(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, length } = chunk;
  const isOwn = buffer.byteLength === length && !readBuffers.has(buffer);
  // Not `slice()`, which does not copy where the chunk is a `Buffer`.
  return isOwn ? chunk as Uint8Array<ArrayBuffer> : new Uint8Array(chunk);
}

function moduleFor(url: string): "http" | "https" {
  return /^https/.test(url) ? "https" : "http";
}

const agents = new Map<string, Agent>();

/** Keeps connections for further requests; an idle one ends no process late. */
function agentFor(url: string): Agent {
  const module = moduleFor(url);
  let agent = agents.get(module);
  if (agent === undefined) {
    const connected = module === "https" ? "secureConnect" : "connect";
    const options = { keepAlive: true, timeout: IDLE_MS };
    agent = makeReadingAgent(node[module].Agent, connected, options);
    agents.set(module, agent);
  }
  return agent;
}

/**
 * An agent each of whose sockets reads into a buffer of its own; `connected` is
 * the event of a socket that is ready for a request.
 */
export function makeReadingAgent(
  PlainAgent: new (options: AgentOptions) => Agent,
  connected: "connect" | "secureConnect",
  options: AgentOptions = {},
): Agent {
  class ReadingAgent extends PlainAgent {
    /** Called for each new connection. */
    override createConnection(
      ...[connect, callback]: Parameters<Agent["createConnection"]>
    ): Duplex {
      const buffer = new Uint8Array(READ_BYTES);
      readBuffers.add(buffer.buffer);
      const onread = {
        buffer,
        callback: (length: number): boolean => {
          const bytes = buffer.subarray(0, length);
          // The parser copies the bytes of a body, so they are not needed any
          // longer. Bytes that must wait are, and the buffer is read into again.
          const isTaken = socket.readableFlowing && socket.readableLength === 0;
          return socket.push(isTaken ? bytes : bytes.slice());
        },
      };
      const reading = { ...connect, onread };
      const socket: Duplex = super.createConnection(reading, callback);
      // Node 20 does not listen any more when an answer has come, and the rest of
      // a request that the server does not take fails then.
      socket.on("error", () => {});
      const late = setTimeout(() => {
        const what = `no connection within ${CONNECT_MS / 1000} s`;
        socket.destroy(new Error(what));
      }, CONNECT_MS);
      for (const end of [connected, "close"]) {
        socket.once(end, () => clearTimeout(late));
      }
      return socket;
    }
  }
  return new ReadingAgent(options);
}
