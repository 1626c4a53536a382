/**
 * The snapshots that this backend is working on. Other unfinished ones were
 * left by a crash.
 *
 * @module
 */

import type { PendingSnapshot } from "../../backend/backend.ts";
import { MaybePublishedError } from "../../backend/maybe_published_error.ts";

/** The IDs of the snapshots that are being written or sealed. */
export class BusyIds {
  readonly #ids = new Set<string>();

  /** Whether this backend is working on the snapshot. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Counts a snapshot as busy during an operation. */
  async during<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#ids.add(id);
    try {
      return await work();
    } finally {
      this.#ids.delete(id);
    }
  }

  /** Begins a snapshot, which is busy until it has ended. */
  async begin(
    id: string,
    open: () => Promise<PendingSnapshot | "taken">,
  ): Promise<PendingSnapshot | "taken"> {
    this.#ids.add(id);
    try {
      const pending = await open();
      if (pending !== "taken") return this.#untilItsEnd(id, pending);
      this.#ids.delete(id);
      return pending;
    } catch (error) {
      this.#ids.delete(id);
      throw error;
    }
  }

  #untilItsEnd(id: string, pending: PendingSnapshot): PendingSnapshot {
    const end = () => void this.#ids.delete(id);
    return {
      append: (bytes) => pending.append(bytes),
      publish: async (parts) => {
        try {
          await pending.publish(parts);
          end();
        } catch (error) {
          // After any other failure the store discards it.
          if (error instanceof MaybePublishedError) end();
          throw error;
        }
      },
      discard: () => pending.discard().finally(end),
    };
  }
}
