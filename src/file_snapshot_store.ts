/**
 * A store of snapshots in a directory (`FileSnapshotStore` in Go's
 * `file_snapshot.go`).
 *
 * @module
 */

import { pickOptions, requireKnown } from "./option_names.ts";
import { FileBackend } from "./backends/file/file_backend.ts";
import {
  FILE_BACKEND_OPTIONS,
  type FileBackendOptions,
} from "./backends/file/options.ts";
import type { SnapshotStore } from "./snapshot/stores.ts";
import { STORE_OPTIONS, type StoreOptions } from "./store/options.ts";
import { openSnapshotStore } from "./store/open_store.ts";

/** Options of `openFileSnapshotStore()`. */
export interface FileSnapshotStoreOptions
  extends StoreOptions, FileBackendOptions {}

/**
 * Opens the store in `directory`, which is Go's *base*: the snapshots are in
 * `directory/snapshots/`. Makes missing directories, takes the lock, and removes
 * unfinished snapshots. Files that root makes belong to the owner of the
 * directory that they are made in. The caller must close the store.
 *
 * @param directory A path, or a `file:` URL, also as a text:
 * `import.meta.resolve("./data")` is the directory beside the module.
 *
 * @throws {StoreAccessError} when the directory can't be used.
 * @throws {StoreLockedError} when another store object holds the directory's
 * lock, in this process or another one.
 * @throws {TypeError} when the directory or an option has the wrong type, or the
 * URL does not name a directory of this machine exactly: one with a host, a
 * query, a fragment or an encoded slash.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function openFileSnapshotStore(
  directory: string | URL,
  options: FileSnapshotStoreOptions = {},
): Promise<SnapshotStore> {
  requireKnown(options, { ...STORE_OPTIONS, ...FILE_BACKEND_OPTIONS });
  const backend = new FileBackend(directory, options);
  return await openSnapshotStore(backend, pickOptions(options, STORE_OPTIONS));
}
