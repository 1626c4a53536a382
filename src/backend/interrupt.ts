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
export function unlessAborted<T>(
  promise: Promise<T>,
  signals: readonly Interruption[],
  onLate?: (value: T) => Promise<unknown>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isAborted = false;
    const forget = () => {
      for (const signal of signals) {
        signal.removeEventListener("abort", onAbort);
      }
    };
    const onAbort = () => {
      isAborted = true;
      forget();
      reject(signals.find((signal) => signal.aborted)?.reason);
    };
    promise.then((value) => {
      if (isAborted) {
        // A failed clean-up is dropped, because no caller waits for it.
        onLate?.(value).catch(() => {});
        return;
      }
      forget();
      resolve(value);
    }, (error) => {
      forget();
      reject(error);
    });
    for (const signal of signals) signal.addEventListener("abort", onAbort);
    if (signals.some((signal) => signal.aborted)) onAbort();
  });
}
