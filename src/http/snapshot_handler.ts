/**
 * The server side: a store's snapshots over HTTP, for followers that pull them.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { requireInteger, requireMs, requireType } from "../backend/options.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { CONSOLE_LOGGER, guardLogger, type Logger } from "../logger.ts";
import { describe } from "../text.ts";
import { answer, type Answering } from "./answer.ts";
import { codeOf, problem } from "./problems.ts";
import type { ServedStore } from "./served_store.ts";
import { type Route, routeOf } from "./route.ts";
import { Transfers } from "./transfers.ts";

/** Options of {@linkcode snapshotHandler}. */
export interface SnapshotHandlerOptions {
  /**
   * Whether the request may read snapshots: only `true` allows it. Called
   * first, for every request. There is no default, because a snapshot is all
   * that a cluster knows.
   */
  readonly authorize: (request: Request) => boolean | Promise<boolean>;
  /**
   * How many states and archives are sent at a time; a further request is
   * answered with 503 before any work. @default {4}
   */
  readonly maxTransfers?: number | undefined;
  /** The most bytes a second of each transfer. @default {no limit} */
  readonly bytesPerSecond?: number | undefined;
  /**
   * Milliseconds after which a client that takes no bytes is given up, and the
   * file closed. @default {30,000}
   */
  readonly stallTimeoutMs?: number | undefined;
  /** The log. @default {warnings and errors go to the console} */
  readonly logger?: Logger | undefined;
}

const HANDLER_OPTIONS: OptionNames<SnapshotHandlerOptions> = {
  authorize: true,
  maxTransfers: true,
  bytesPerSecond: true,
  stallTimeoutMs: true,
  logger: true,
};

/**
 * Makes a handler of requests, for `Deno.serve`, `Bun.serve`, Hono, and Node by
 * way of an adapter. Any node of a cluster may serve its snapshots, not only the
 * leader. The paths may have any prefix:
 *
 * - `GET snapshots`: the usable snapshots, newest first, as JSON;
 * - `GET snapshots/ID`: the state, with ranges (RFC 9110);
 * - `GET snapshots/ID/meta`, `snapshots/ID/blocks`: the exact bytes of
 *   `meta.json` and of `blocks.crc64`;
 * - `GET snapshots/ID/archive`: an archive as Consul, Nomad and Vault read it.
 *
 * `docs/http.md` lists the settings of servers that matter.
 *
 * @throws {TypeError} when an option has the wrong type, or `authorize` is
 * missing.
 * @throws {RangeError} when a number is out of its bounds.
 *
 * @example Serve the snapshots of a directory
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { bearerToken, snapshotHandler } from "@raft/snapshots/http";
 *
 * const store = new MemorySnapshotStore();
 * const handler = snapshotHandler(store, { authorize: bearerToken("c2VjcmV0") });
 * const response = await handler(new Request("http://localhost/snapshots"));
 * console.assert(response.status === 401);
 * ```
 */
export function snapshotHandler(
  store: ServedStore,
  options: SnapshotHandlerOptions,
): (request: Request) => Promise<Response> {
  if (typeof store !== "object" || store === null) {
    throw new TypeError(
      `Cannot serve snapshots: found ${
        store === null ? "null" : typeof store
      }` +
        ", expected a store",
    );
  }
  requireKnown(options, HANDLER_OPTIONS);
  const { maxTransfers = 4, bytesPerSecond, stallTimeoutMs = 30_000 } = options;
  const logger = guardLogger(options.logger ?? CONSOLE_LOGGER);
  const authorize = requireType("authorize", options.authorize, "function");
  const answering: Answering = {
    store,
    logger,
    transfers: new Transfers(requireInteger("maxTransfers", maxTransfers, 1)),
    bytesPerSecond: bytesPerSecond === undefined
      ? Infinity
      : requireInteger("bytesPerSecond", bytesPerSecond, 1),
    stallTimeoutMs: requireMs("stallTimeoutMs", stallTimeoutMs),
  };
  return async (request) =>
    withoutBody(request, await answerRequest(answering, authorize, request));
}

async function answerRequest(
  answering: Answering,
  authorize: SnapshotHandlerOptions["authorize"],
  request: Request,
): Promise<Response> {
  let route: Route | undefined;
  try {
    if (await authorize(request) !== true) return problem("unauthorized");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return problem("method-not-allowed");
    }
    route = routeOf(request.url);
    if (route === undefined) return problem("not-found");
    return await answer(answering, request, route);
  } catch (error) {
    return answerError(error, { logger: answering.logger, route });
  }
}

/** An answer to HEAD has the headers of the answer to GET, and no body. */
function withoutBody({ method }: Request, response: Response): Response {
  if (method !== "HEAD" || response.body === null) return response;
  response.body.cancel().catch(() => {});
  const { status, headers } = response;
  return new Response(null, { status, headers });
}

function answerError(
  error: unknown,
  { logger, route }: {
    readonly logger: Logger;
    readonly route: Route | undefined;
  },
): Response {
  const code = codeOf(error);
  if (code !== "snapshot-not-found") {
    logger.warn(`Cannot answer a request for snapshots: ${describe(error)}`);
  }
  return problem(code, {
    id: route !== undefined && "id" in route ? route.id : undefined,
    offset: isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT")
      ? error.offset
      : undefined,
  });
}
