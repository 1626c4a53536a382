/**
 * The IDs of new snapshots.
 *
 * @module
 */

import { formatId, parseId } from "../snapshot/id.ts";
import type { InitialMeta } from "../snapshot/init.ts";

/**
 * Gives out IDs, none twice: also for two sinks of one millisecond, and when the
 * clock goes back. A later ID of the same term and index is always newer.
 */
export class IdClock {
  readonly #clock: () => number;
  /** Milliseconds of the newest ID given out: the next one is higher. */
  #lastUnixMs = -1;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Candidates for a new snapshot's ID, in order: all newer than each of
   * `taken` that has the same term and index.
   *
   * @throws {RangeError} when the clock is wrong, or no time is left.
   */
  *candidates(
    init: InitialMeta,
    taken: readonly string[],
  ): Generator<string, never, void> {
    const { term, index } = init;
    const isTaken = new Set(taken);
    for (let unixMs = this.#nextUnixMs(init, taken);; unixMs++) {
      const id = formatId({ term, index, unixMs: BigInt(unixMs) });
      this.#lastUnixMs = Math.max(this.#lastUnixMs, unixMs);
      if (!isTaken.has(id)) yield id;
    }
  }

  #nextUnixMs(
    { term, index }: InitialMeta,
    taken: readonly string[],
  ): number {
    const now = Math.floor(this.#clock());
    if (!Number.isSafeInteger(now)) {
      throw new RangeError(
        `Cannot make a snapshot ID: the clock says ${now}, expected milliseconds`,
      );
    }
    let latest = -1n;
    const prefix = `${term}-${index}-`;
    for (const id of taken) {
      if (!id.startsWith(prefix)) continue;
      const { unixMs } = parseId(id) ?? { unixMs: -1n };
      if (unixMs > latest) latest = unixMs;
    }
    const earliest = Math.max(now, Number(latest) + 1);
    const isTime = (ms: number) =>
      parseId(formatId({ term, index, unixMs: BigInt(ms) })) !== undefined;
    const next = Math.max(earliest, this.#lastUnixMs + 1);
    if (isTime(next)) return next;
    // An ID with the latest possible time must not block other terms and
    // indexes.
    if (isTime(earliest)) return earliest;
    throw new RangeError(
      `Cannot make a snapshot ID: no time is left after ${earliest - 1} ms`,
    );
  }
}
