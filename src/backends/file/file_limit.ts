/**
 * Limits how many files a store opens to read snapshots, because descriptors
 * are few and shared by the whole process.
 *
 * @module
 */

import { isOutOfFiles } from "./error_scope.ts";

/** How many files a store opens side by side. */
const FILES_MAX = 16;

/**
 * Runs tasks that have one file open each, a few at a time. When the system has
 * no descriptor left for one of them, it waits until another task has ended and
 * tries again, and fewer run side by side from then on. The error is passed on
 * only when no other task of this store has a file open.
 */
export class FileLimit {
  #max = FILES_MAX;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Runs a task when its turn comes; the task must close its files. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    for (;;) {
      while (this.#running >= this.#max) await this.#turn();
      this.#running++;
      try {
        return await task();
      } catch (error) {
        if (!isOutOfFiles(error) || this.#running === 1) throw error;
        this.#max = Math.max(1, Math.min(this.#max, this.#running - 1));
      } finally {
        this.#end();
      }
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wakes all waiting tasks: as many as allowed run, the others wait again. */
  #end(): void {
    this.#running--;
    // Descriptors may be available again once the other tasks have ended.
    if (this.#running === 0) this.#max = FILES_MAX;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
