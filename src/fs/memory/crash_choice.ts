/**
 * Decides by a seed which operations survive a power cut.
 *
 * @module
 */

/** How a power cut treats the operations that were not synced. */
export interface CrashChoice {
  /** Any number; the same seed keeps the same operations. */
  readonly seed: number;
  /** How many of the unsynced operations are kept; 0 to 100 percent. */
  readonly keptPercent: number;
  /**
   * Whether a rename is kept or lost as a whole, or its two halves, the new
   * name and the removal of the old one, independently.
   */
  readonly renames: "atomic" | "split";
}

/** Decides for one operation after the other whether it is kept. */
export type Persists = () => boolean;

/** The sequence of decisions of a choice. */
export function keepDecisions({ seed, keptPercent }: CrashChoice): Persists {
  if (!(keptPercent >= 0 && keptPercent <= 100)) {
    throw new RangeError(
      `Cannot keep part of a disk: found ${keptPercent}, expected 0 to 100`,
    );
  }
  // Weyl's sequence, mixed until neighbouring seeds have nothing in common.
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32 * 100 < keptPercent;
  };
}

/** How many of `count` operations are kept. */
export function countKept(count: number, persists: Persists): number {
  let kept = 0;
  for (let i = 0; i < count; i++) if (persists()) kept++;
  return kept;
}
