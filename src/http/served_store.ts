/**
 * The methods of a store that the server side needs.
 *
 * @module
 */

import type { SnapshotReader } from "../snapshot/stores.ts";

/** A store whose snapshots are served. */
export type ServedStore = Pick<
  SnapshotReader,
  "list" | "stat" | "header" | "open"
>;
