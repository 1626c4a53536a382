/**
 * A store that keeps nothing (`DiscardSnapshotStore` in Go's
 * `discard_snapshot.go`).
 *
 * @module
 */

import { DiscardBackend } from "./backends/discard/discard_backend.ts";
import { BackedStore } from "./store/store.ts";

/**
 * Takes every snapshot and keeps none: for tests that only need the log to be
 * cut. Never use it for data that matters.
 *
 * @example Take a snapshot that goes nowhere
 * ```ts
 * import { DiscardSnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new DiscardSnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["state"]).stream().pipeTo(sink);
 * assert.equal(sink.meta.size, 5);
 * assert.deepEqual(await store.list(), []);
 * ```
 */
export class DiscardSnapshotStore extends BackedStore {
  /** Makes the store. */
  constructor() {
    super(new DiscardBackend());
  }
}
