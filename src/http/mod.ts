/**
 * Snapshots over HTTP: a handler that serves those of a store, and a store of
 * those that a server has. A follower pulls, because a pull needs no more of HTTP
 * than ranges (RFC 9110), and so any server, proxy and `curl` will do.
 *
 * @module
 */

export {
  type HttpSnapshotStoreOptions,
  openHttpSnapshotStore,
} from "../http_snapshot_store.ts";
export type { HttpBackendOptions } from "../backends/http/options.ts";
export type { RetryOptions } from "../net/retry.ts";
export type { Fetch } from "../net/exchange.ts";
export { snapshotHandler } from "./snapshot_handler.ts";
export { bearerToken } from "./bearer_token.ts";
export type { ServedStore } from "./served_store.ts";
export type { SnapshotHandlerOptions } from "./snapshot_handler.ts";
