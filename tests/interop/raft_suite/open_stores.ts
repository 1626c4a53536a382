/**
 * The stores that Go's process has opened, one for each directory.
 *
 * Go's store needs no closing, and many of its objects may use one directory.
 * Ours is closed, and holds a lock until then. So all of Go's objects of a
 * directory share one of ours, and opening a directory again is a restart: the
 * store is closed, which gives the lock up, and opened again.
 *
 * @module
 */

import {
  type Logger,
  openFileSnapshotStore,
  type SnapshotStore,
} from "@raft/snapshots";

const report = (message: string) => console.error(message);

/** Only messages that may explain a failure; stdout belongs to the server. */
const LOGGER: Logger = { debug() {}, info() {}, warn: report, error: report };

/** Stores by their directories. */
export class OpenStores {
  readonly #stores = new Map<string, Promise<SnapshotStore>>();

  /** Opens the store in a directory, and closes it first when it is open. */
  async open(base: string, retain: number): Promise<void> {
    const opening = this.#reopen(this.#stores.get(base), base, retain);
    this.#stores.set(base, opening);
    try {
      await opening;
    } catch (error) {
      if (this.#stores.get(base) === opening) this.#stores.delete(base);
      throw error;
    }
  }

  /**
   * The store in a directory.
   *
   * @throws {Error} when it has not been opened.
   */
  async get(base: string): Promise<SnapshotStore> {
    const store = await this.#stores.get(base);
    if (store !== undefined) return store;
    throw new Error(`Cannot use the store in ${base}: it has not been opened`);
  }

  /** Closes all of them; the errors of those that can't be closed. */
  async closeAll(): Promise<unknown[]> {
    const closing = [...this.#stores.values()].map(async (store) => {
      await (await store).close();
    });
    this.#stores.clear();
    const results = await Promise.allSettled(closing);
    return results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : []
    );
  }

  async #reopen(
    previous: Promise<SnapshotStore> | undefined,
    base: string,
    retain: number,
  ): Promise<SnapshotStore> {
    const store = await previous?.catch(() => undefined); // Its caller was told.
    await store?.close();
    return await openFileSnapshotStore(base, { retain, logger: LOGGER });
  }
}
