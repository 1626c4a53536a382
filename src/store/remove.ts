/**
 * Removing published snapshots.
 *
 * @module
 */

import type { CheckedBackend } from "./checked_backend.ts";
import { Exclusive } from "../backend/exclusive.ts";
import type { Health } from "./health.ts";

/** The parts of the store that it uses. */
interface Parts {
  readonly backend: CheckedBackend;
  readonly health: Health;
}

/** The result of making snapshots invisible. */
export interface Removed {
  /** The errors of the snapshots that are still visible. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** Resolves once the bytes of the others are gone; need not be awaited. */
  readonly finished: Promise<void>;
}

/** Removes snapshots in two steps; readers that have them open do not notice. */
export class Remover {
  readonly #parts: Parts;
  readonly #finishing = new Exclusive();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Makes snapshots invisible, and begins to remove their bytes; `isListed` when
   * the place has just listed them.
   */
  async remove(ids: readonly string[], isListed = false): Promise<Removed> {
    const { backend, health } = this.#parts;
    let failures: ReadonlyMap<string, unknown> = new Map();
    if (ids.length === 0) return { failures, finished: Promise.resolve() };
    try {
      failures = await backend.remove(ids, "published", isListed);
    } finally {
      for (const id of ids) if (!failures.has(id)) health.forget(id);
    }
    return { failures, finished: this.finish() };
  }

  /** Removes the bytes of invisible snapshots; need not be awaited. */
  finish(): Promise<void> {
    const { backend } = this.#parts;
    const finished = this.#finishing.run(() => backend.finishRemovals());
    finished.catch(() => {});
    return finished;
  }

  /** Resolves, never rejects, once nothing is being removed. */
  idle(): Promise<void> {
    return this.#finishing.idle();
  }
}
