/**
 * Limits how many snapshots are sent at a time.
 *
 * @module
 */

/** The right to send one snapshot. */
export interface Slot {
  /** Gives it back; a second time does nothing. */
  release(): void;
}

/** Counts the transfers. */
export class Transfers {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** A slot, which must be released; `undefined` when all are in use. */
  take(): Slot | undefined {
    if (this.#count >= this.#max) return undefined;
    this.#count++;
    let isTaken = true;
    return {
      release: () => {
        if (isTaken) this.#count--;
        isTaken = false;
      },
    };
  }
}
