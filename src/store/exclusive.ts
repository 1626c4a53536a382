/**
 * The calls of a store that remove or replace names on disk, one after the
 * other.
 *
 * @module
 */

/**
 * Runs calls one by one, in the order in which they came. What takes long and
 * changes nothing, such as reading a state, is done before the call: the close
 * of a small snapshot waits here too.
 */
export class Exclusive {
  #last: Promise<unknown> = Promise.resolve();
  #underWay = 0;

  /** Runs a call after those that came before it, also when one has failed. */
  run<T>(call: () => Promise<T>): Promise<T> {
    this.#underWay++;
    const done = this.#last.then(call).finally(() => this.#underWay--);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Whether every call that has come so far is done. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** Resolves when every call that has come so far is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
