/**
 * Keeps a second copy of each snapshot in a bucket: the local store publishes
 * first, so that Raft waits for no network.
 */

import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
import {
  openS3SnapshotStore,
  type S3SnapshotStoreOptions,
} from "@raft/snapshots/s3";

/** Opens a store in a directory that copies each new snapshot to a bucket. */
export async function openWithCopies(
  directory: string,
  location: string,
  options: S3SnapshotStoreOptions = {},
) {
  const bucket = await openS3SnapshotStore(location, options);
  // One after the other. A failed copy is reported to the operator, not to
  // Raft.
  let copies = Promise.resolve();
  const store = await openFileSnapshotStore(directory, {
    onEvent(event) {
      if (event.type !== "published") return;
      copies = copies.then(async () => {
        await copySnapshot(store, event.meta.id, bucket, { ifMissing: true });
      }).catch((error) => console.error(error));
    },
  });
  const close = async () => {
    await copies;
    await store.close();
    await bucket.close();
  };
  return { store, bucket, close };
}
