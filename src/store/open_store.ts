/**
 * Opens a store over a backend that has to be connected.
 *
 * @module
 */

import type { ReadableBackend, SnapshotBackend } from "../backend/backend.ts";
import { placeError } from "../backend/errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import type { SnapshotReader, SnapshotStore } from "../snapshot/stores.ts";
import type { StoreOptions } from "./options.ts";
import { BackedStore, hostOf } from "./store.ts";

/**
 * Opens a store over a backend. The options are checked before the backend is
 * connected. The caller must close the store.
 *
 * @throws {StoreAccessError} when the place can't be used.
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function openSnapshotStore(
  backend: SnapshotBackend,
  options?: StoreOptions,
): Promise<SnapshotStore>;
/**
 * Opens a store over a backend that can only be read. The caller must close it.
 *
 * @throws {StoreAccessError} when the place can't be used.
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function openSnapshotStore(
  backend: ReadableBackend,
  options?: StoreOptions,
): Promise<SnapshotReader>;
export async function openSnapshotStore(
  backend: ReadableBackend,
  options: StoreOptions = {},
): Promise<SnapshotStore> {
  const store = new BackedStore(backend, options);
  try {
    await backend.connect?.(hostOf(store));
  } catch (error) {
    if (isSnapshotError(error)) throw error;
    throw placeError(`open ${backend.place}`, error);
  }
  return store;
}
