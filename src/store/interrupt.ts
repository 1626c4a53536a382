/**
 * Waits that can be interrupted.
 *
 * @module
 */

/**
 * Settles as the promise does, or rejects with the reason of the first signal
 * that aborts before. A value that the promise gives after that goes to
 * `onLate`.
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signals: readonly AbortSignal[],
  onLate: (value: T) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  let isAborted = false;
  promise.then(
    // A clean-up that fails has no caller left to tell.
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
