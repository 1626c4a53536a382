/**
 * Calls that must not overlap, such as those that remove or replace names on
 * disk.
 *
 * @module
 */

/**
 * Runs calls one by one, in the order in which they came. Do long reads, such
 * as that of a state, before the call, because the close of a small snapshot
 * waits here too.
 */
export class Exclusive {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a call after those that came before it, also when one has failed. */
  run<T>(call: () => Promise<T>): Promise<T> {
    const done = this.#last.then(call);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Resolves when every call that has come so far is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
