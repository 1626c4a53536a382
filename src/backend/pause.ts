/**
 * Pauses that a signal can end.
 *
 * @module
 */

/**
 * Lets other programs work for a while, in milliseconds.
 *
 * @throws {unknown} the reason of `signal` when that aborts, at once.
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake);
  });
  signal?.throwIfAborted();
}
