/**
 * Removes the snapshots beyond `retain`: when the caller asks for it, and in
 * the background after each publication.
 *
 * @module
 */

import { toSnapshotError } from "../backend/errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { Exclusive } from "../backend/exclusive.ts";
import type { StoreParts } from "./parts.ts";
import { reapSnapshots } from "./retention.ts";

/**
 * How long a call that could do without the end of a reap waits for it. Only a
 * place that hangs takes longer.
 */
const WAIT_MAX_MS = 2000;

/**
 * Removes snapshots in two steps: they become invisible, for which every other
 * call of the store waits, so that no caller sees a difference; and later their
 * bytes go, for which `reap()`, `delete()` and `close()` alone wait.
 */
export class Reaper {
  readonly #parts: StoreParts;
  /** Runs those in the background one after the other. */
  readonly #reaps = new Exclusive();
  /** The last reap in the background, and how many have not ended. */
  #followed: Promise<void> = Promise.resolve();
  #underWay = 0;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  /** Reaps; resolves once the bytes are gone. */
  async reap(): Promise<void> {
    const { backend, remover } = this.#parts;
    try {
      // The disk may be full of bytes that an earlier reap has failed to
      // remove.
      await remover.finish();
      // It may read for long, which must not delay other calls.
      const { finished, failure } = await reapSnapshots(this.#parts);
      if (failure !== undefined) throw failure;
      await finished;
    } catch (error) {
      throw toSnapshotError(`reap in ${backend.place}`, error);
    }
  }

  /** Removes one published snapshot; resolves once its bytes are gone. */
  async delete(id: string): Promise<void> {
    const { exclusive, remover, report } = this.#parts;
    try {
      const removed = await exclusive.run(() => remover.remove([id]));
      for (const error of removed.failures.values()) throw error;
      report({ type: "deleted", id });
      await removed.finished;
    } catch (error) {
      throw toSnapshotError(`delete snapshot ${id}`, error);
    }
  }

  /**
   * Reaps in the background, because a snapshot has been published. Until then it
   * counts as one that is being published: an earlier reap must not remove it.
   */
  follow(id: string): void {
    const { publishing, remover } = this.#parts;
    this.#underWay++;
    // Tries again to remove the bytes that an earlier reap has left.
    const retried = remover.finish();
    const reaping = this.#reaps.run(() => reapSnapshots(this.#parts, id))
      .finally(() => {
        this.#underWay--;
        publishing.delete(id);
      });
    this.#followed = reaping.then(() => {}, () => {});
    Promise.all([retried, reaping.then(({ finished }) => finished)])
      .catch((error) => this.#report(error));
  }

  /** Whether all snapshots that are to be reaped are invisible by now. */
  get isSettled(): boolean {
    return this.#underWay === 0;
  }

  /**
   * Resolves, never rejects, once they are. A reap that fails has reported
   * that.
   */
  settled(): Promise<void> {
    return this.#followed;
  }

  /** Resolves, never rejects, to whether they are within a short time. */
  async settledSoon(): Promise<boolean> {
    if (this.isSettled) return true;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), WAIT_MAX_MS);
      void this.settled().then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Waits before a snapshot is begun; no longer than a call can do without. */
  async waitBeforeCreate(): Promise<void> {
    if (await this.settledSoon()) return;
    // More than the next snapshot may be beyond `retain` now.
    this.#parts.report({ type: "reapOverdue" });
  }

  #report(error: unknown): void {
    // The store was closed before it had begun to remove anything.
    if (isSnapshotError(error, "ERR_STORE_CLOSED")) return;
    // There is no call that could reject with the error.
    this.#parts.report({ type: "failed", operation: "reap", error });
  }
}
