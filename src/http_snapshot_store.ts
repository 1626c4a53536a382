/**
 * A store of the snapshots that another machine has.
 *
 * @module
 */

import { requireKnown } from "./option_names.ts";
import { HttpBackend } from "./backends/http/http_backend.ts";
import {
  HTTP_BACKEND_OPTIONS,
  type HttpBackendOptions,
} from "./backends/http/options.ts";
import type { SnapshotReader } from "./snapshot/stores.ts";
import type { StoreOptions } from "./store/options.ts";
import { openSnapshotStore } from "./store/open_store.ts";

/** Options of {@linkcode openHttpSnapshotStore}. */
export interface HttpSnapshotStoreOptions
  extends
    HttpBackendOptions,
    Pick<StoreOptions, "logger" | "onEvent" | "order"> {}

/**
 * Opens the snapshots of a server that {@linkcode snapshotHandler} answers for;
 * `url` is the address that its paths begin with. No request is made before the
 * store is used. The caller must close the store.
 *
 * Reading resumes when the line breaks or stalls, and every byte is checked.
 * With `copySnapshot()` a follower takes a snapshot over.
 *
 * @throws {TypeError} when the address or an option has the wrong type.
 * @throws {RangeError} when an option is out of its bounds.
 *
 * @example Take over the newest snapshot of the leader
 * ```ts
 * import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
 * import { openHttpSnapshotStore } from "@raft/snapshots/http";
 *
 * async function pull(leader: string, directory: string): Promise<void> {
 *   const remote = await openHttpSnapshotStore(leader, {
 *     headers: { authorization: "Bearer secret" },
 *     maxSize: 8 * 1024 ** 3,
 *   });
 *   const local = await openFileSnapshotStore(directory);
 *   const [newest] = await remote.list();
 *   if (newest !== undefined) {
 *     await copySnapshot(remote, newest.id, local, { ifMissing: true });
 *   }
 *   await Promise.all([remote.close(), local.close()]);
 * }
 * ```
 */
export async function openHttpSnapshotStore(
  url: string | URL,
  options: HttpSnapshotStoreOptions = {},
): Promise<SnapshotReader> {
  const own = { logger: true, onEvent: true, order: true } as const;
  requireKnown(options, { ...HTTP_BACKEND_OPTIONS, ...own });
  const { logger, onEvent, order } = options;
  const backend = new HttpBackend(url, options);
  return await openSnapshotStore(backend, { logger, onEvent, order });
}
