/**
 * The snapshots that this process knows to be good or corrupt.
 *
 * @module
 */

import type { NewestFirst } from "./newest_first.ts";

/**
 * Which snapshots are known to be good, because this process wrote or checked
 * them, and which are known to be corrupt. Retention counts on the first, and
 * never on the second. IDs are never used twice, so an entry stays true until
 * the snapshot changes on disk.
 */
export class Health {
  readonly #known = new Map<string, "usable" | "good" | "corrupt">();
  readonly #newestFirst: NewestFirst;
  #newestAcknowledged: string | undefined;

  constructor(newestFirst: NewestFirst) {
    this.#newestFirst = newestFirst;
  }

  /** The small files have been read and are correct. */
  markUsable(id: string): void {
    if (!this.#known.has(id)) this.#known.set(id, "usable");
  }

  /** The state has been compared with its checksums, or was just written. */
  markGood(id: string): void {
    this.#known.set(id, "good");
  }

  /** The snapshot can't be handed out whole. */
  markCorrupt(id: string): void {
    this.#known.set(id, "corrupt");
  }

  /** The snapshot is gone, or may have changed: the next look decides. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** Whether the snapshot is known to be good. */
  isGood(id: string): boolean {
    return this.#known.get(id) === "good";
  }

  /** Whether the snapshot is known to be usable. */
  isUsable(id: string): boolean {
    return this.#known.has(id) && !this.isCorrupt(id);
  }

  /** Whether the snapshot is known to be corrupt. */
  isCorrupt(id: string): boolean {
    return this.#known.get(id) === "corrupt";
  }

  /** From now on the caller may rely on this snapshot. */
  acknowledge(id: string): void {
    this.markGood(id);
    const newest = this.#newestAcknowledged;
    if (newest === undefined || this.#newestFirst.compare(id, newest) < 0) {
      this.#newestAcknowledged = id;
    }
  }

  /**
   * The newest snapshot that this process has published: Raft has deleted its
   * log because of it, so it is never reaped.
   */
  get newestAcknowledged(): string | undefined {
    return this.#newestAcknowledged;
  }
}
