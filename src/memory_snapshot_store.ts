/**
 * A store that keeps snapshots in memory (`InmemSnapshotStore` in Go's
 * `inmem_snapshot.go`).
 *
 * @module
 */

import { MemoryBackend } from "./backends/memory/memory_backend.ts";
import { requireKnown } from "./option_names.ts";
import { STORE_OPTIONS, type StoreOptions } from "./store/options.ts";
import { BackedStore } from "./store/store.ts";

/** Options of {@linkcode MemorySnapshotStore}. */
export type MemorySnapshotStoreOptions = Omit<StoreOptions, "readOnly">;

/**
 * Keeps snapshots in memory: for tests, and for state that may be lost with the
 * process. It does everything that a file store does. Unlike Go's, which lists a
 * snapshot while it is being written, this one publishes it when its sink is
 * closed.
 *
 * @example Write and read a snapshot
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new MemorySnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["state"]).stream().pipeTo(sink);
 * const source = await store.open(sink.id);
 * assert.equal(await new Response(source).text(), "state");
 * ```
 */
export class MemorySnapshotStore extends BackedStore {
  /**
   * Makes an empty store. By default it keeps one snapshot: the newest.
   *
   * @throws {TypeError} when an option has the wrong type.
   * @throws {RangeError} when an option is out of its bounds.
   */
  constructor(options: MemorySnapshotStoreOptions = {}) {
    super(new MemoryBackend(), withRetain(options));
  }
}

function withRetain(options: MemorySnapshotStoreOptions): StoreOptions {
  const { readOnly: _, ...names } = STORE_OPTIONS;
  requireKnown(options, names);
  return { ...options, retain: options.retain ?? 1 };
}
