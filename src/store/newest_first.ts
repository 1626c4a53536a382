/**
 * Orders snapshots, newest first. A Raft node goes by term and index. Backups
 * of a cluster that was built again begin at a low index: they go by the time
 * when they were taken.
 *
 * @module
 */

import { decodeRecord, META_SIZE_MAX } from "../snapshot/meta/decode.ts";
import { allSettled } from "../backend/all_settled.ts";
import { compareNewestFirst, newestFirst, timeOf } from "../snapshot/id.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import type { CheckedBackend } from "./checked_backend.ts";
import { concernsSnapshot } from "./error_scope.ts";
import type { SnapshotOrder } from "./options.ts";

/** How many snapshots are read for their times side by side. */
const CONCURRENCY = 16;

/** Orders the IDs of a store's snapshots. */
export class NewestFirst {
  readonly #order: SnapshotOrder;
  /** By ID, in milliseconds. IDs are never used twice, so an entry stays true. */
  readonly #takenMs = new Map<string, number>();

  constructor(order: SnapshotOrder) {
    this.#order = order;
  }

  /** Notes when a snapshot was taken. */
  note({ id, takenAt, createdAt }: SnapshotMeta): void {
    if (this.#order === "raft") return;
    this.#takenMs.set(id, (takenAt ?? createdAt).getTime());
  }

  /** For `sort()`; goes by the ID where nothing else is known. */
  readonly compare = (a: string, b: string): number =>
    (this.#order === "raft" ? 0 : this.#timeOf(b) - this.#timeOf(a)) ||
    compareNewestFirst(a, b);

  /**
   * Sorts the IDs of published snapshots; reads the metadata of those that it
   * does not know, where their times count.
   *
   * @throws {StoreAccessError} when the process or the place is at fault.
   */
  async sort(
    backend: CheckedBackend,
    published: readonly string[],
  ): Promise<string[]> {
    if (this.#order === "raft") return newestFirst(published);
    await this.#learn(backend, published);
    return [...published].sort(this.compare);
  }

  async #learn(
    backend: CheckedBackend,
    published: readonly string[],
  ): Promise<void> {
    const present = new Set(published);
    for (const id of this.#takenMs.keys()) {
      if (!present.has(id)) this.#takenMs.delete(id);
    }
    const unknown = published.filter((id) => !this.#takenMs.has(id))
      .values();
    const work = async () => {
      for (const id of unknown) {
        const takenAt = await readTakenAt(backend, id);
        if (takenAt !== undefined) this.#takenMs.set(id, takenAt.getTime());
      }
    };
    await allSettled(Array.from({ length: CONCURRENCY }, work));
  }

  #timeOf(id: string): number {
    return this.#takenMs.get(id) ?? timeOf(id)?.getTime() ?? 0;
  }
}

/** When a snapshot was taken; `undefined` when it can't be read. */
async function readTakenAt(
  backend: CheckedBackend,
  id: string,
): Promise<Date | undefined> {
  try {
    const bytes = await backend.readMeta(id, META_SIZE_MAX, {
      isListed: true,
    });
    return decodeRecord(bytes, `meta.json of snapshot ${id}`).takenAt ??
      timeOf(id);
  } catch (error) {
    // The call that uses the snapshot reports the error.
    if (concernsSnapshot(error)) return undefined;
    throw error;
  }
}
