/**
 * Waits that can be interrupted.
 *
 * @module
 */

/** A signal that ends a wait: an `AbortSignal`, or a shared one. */
export type Interruption =
  & Pick<AbortSignal, "aborted" | "reason">
  & Record<
    "addEventListener" | "removeEventListener",
    (type: "abort", listener: () => void) => void
  >;

/**
 * A signal that any number of waits share. It has one listener, because Node
 * warns of a leak when a signal has more than ten.
 */
export class SharedSignal implements Interruption {
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Whether the signal has aborted. */
  get aborted(): boolean {
    return this.#signal.aborted;
  }

  /** Why it has aborted. */
  get reason(): unknown {
    return this.#signal.reason;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }
}

/**
 * Settles as the promise does, or rejects with the reason of the first signal
 * that aborts before. A value that the promise gives after that goes to
 * `onLate`.
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signals: readonly Interruption[],
  onLate: (value: T) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  let isAborted = false;
  promise.then(
    // A failed clean-up is dropped, because no caller waits for it.
    (value) => isAborted ? onLate(value).catch(() => {}) : undefined,
    () => {},
  );
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      isAborted = true;
      reject(signals.find((signal) => signal.aborted)?.reason);
    };
  });
  for (const signal of signals) signal.addEventListener("abort", onAbort);
  try {
    if (signals.some((signal) => signal.aborted)) onAbort();
    return await Promise.race([promise, aborted]);
  } finally {
    for (const signal of signals) signal.removeEventListener("abort", onAbort);
  }
}
