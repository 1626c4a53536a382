/**
 * What the server side needs of a store.
 *
 * @module
 */

import type { SnapshotReader } from "../snapshot/stores.ts";

/** A store whose snapshots are served. */
export type ServedStore = Pick<
  SnapshotReader,
  "list" | "stat" | "header" | "open"
>;
