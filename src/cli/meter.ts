/** Measures the rate of some work, and the time that is left. */

/** Only the last seconds count: a copy slows down when the caches are full. */
const WINDOW_MS = 5_000;
/** Samples closer together than this only add noise. */
const SAMPLE_MS = 100;

interface Sample {
  readonly timeMs: number;
  readonly done: number;
}

/** Measures throughput over the last few seconds. */
export class Meter {
  readonly #samples: Sample[];
  #last: Sample;

  /** Starts at `timeMs`, with nothing done. */
  constructor(timeMs: number) {
    this.#last = { timeMs, done: 0 };
    this.#samples = [this.#last];
  }

  /** Notes that `done` bytes in all are done at `timeMs`. */
  add(timeMs: number, done: number): void {
    this.#last = { timeMs, done };
    const newest = this.#samples.at(-1);
    if (newest !== undefined && timeMs - newest.timeMs < SAMPLE_MS) return;
    this.#samples.push(this.#last);
    while (this.#samples.length > 2 && this.#oldestIsPast(timeMs)) {
      this.#samples.shift();
    }
  }

  #oldestIsPast(timeMs: number): boolean {
    const next = this.#samples[1];
    return next !== undefined && timeMs - next.timeMs >= WINDOW_MS;
  }

  /** Bytes per second; 0 before any time has passed. */
  get bytesPerSecond(): number {
    const oldest = this.#samples[0] ?? this.#last;
    const elapsedMs = this.#last.timeMs - oldest.timeMs;
    return elapsedMs <= 0
      ? 0
      : (this.#last.done - oldest.done) * 1000 / elapsedMs;
  }

  /** Milliseconds until `total` bytes are done; `undefined` when unknown. */
  msLeft(total: number): number | undefined {
    const rate = this.bytesPerSecond;
    return rate <= 0 ? undefined : (total - this.#last.done) * 1000 / rate;
  }
}
