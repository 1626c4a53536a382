/**
 * The pending calls of a backend.
 *
 * @module
 */

import { StoreClosedError } from "../../errors.ts";

/** Notes calls until they settle, so that none outlives the backend. */
export class Calls {
  readonly #running = new Set<Promise<unknown>>();
  #isShut = false;

  /** Runs a call, and notes it. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isShut) {
      throw new StoreClosedError("Cannot use a directory that was given up");
    }
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Rejects further calls; resolves once the pending ones have settled. */
  async shut(): Promise<void> {
    this.#isShut = true;
    while (this.#running.size > 0) {
      await Promise.allSettled([...this.#running]);
    }
  }
}
