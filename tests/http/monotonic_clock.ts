/** Gives this process another clock; returns a function that undoes it. */
export function setTime(now: () => number): () => void {
  const { performance } = globalThis;
  const before = performance.now.bind(performance);
  performance.now = now;
  return () => performance.now = before;
}
