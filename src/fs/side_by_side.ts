/**
 * Processes many items, a few of them at a time.
 *
 * @module
 */

/**
 * Calls `act` with each item, at most `countMax` at a time. After a failure the
 * other items are still processed; then it rejects with the first failure.
 * Items are taken only when they are needed.
 */
export async function sideBySide<T>(
  items: AsyncIterable<T> | Iterable<T>,
  countMax: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items
    ? oneAfterTheOther(items)
    : items[Symbol.iterator]();
  const failures: unknown[] = [];
  const work = async () => {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return;
      await act(value).catch((error) => {
        // Only the first is kept, because a million errors would fill the
        // memory.
        if (failures.length === 0) failures.push(error);
      });
    }
  };
  const workers = Array.from({ length: countMax }, work);
  for (const result of await Promise.allSettled(workers)) {
    if (result.status === "rejected") throw result.reason;
  }
  if (failures.length > 0) throw failures[0];
}

/** A generator answers concurrent calls one after the other. */
async function* oneAfterTheOther<T>(
  items: AsyncIterable<T>,
): AsyncGenerator<T, void> {
  yield* items;
}
