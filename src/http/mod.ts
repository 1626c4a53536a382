/**
 * Snapshots over HTTP: a handler that serves a store's snapshots, and a store
 * that reads a server's. A follower pulls, because a pull only needs ranges
 * (RFC 9110), which every server, every proxy and `curl` support.
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
