/**
 * The snapshots in a store that another program has written.
 *
 * @module
 */

import { openFileSnapshotStore, type SnapshotMeta } from "@raft/snapshots";

/** The snapshots in the store in `directory`, newest first. */
export async function listed(directory: string): Promise<SnapshotMeta[]> {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  try {
    return await store.list();
  } finally {
    await store.close();
  }
}
