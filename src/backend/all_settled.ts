/**
 * Waits for several calls that run side by side.
 *
 * @module
 */

/** Waits for all, also when one fails; then rejects with the first failure. */
export async function allSettled(
  promises: readonly Promise<unknown>[],
): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === "rejected") throw result.reason;
  }
}
