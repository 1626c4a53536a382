/**
 * Randomness that a seed reproduces.
 *
 * @module
 */

import process from "node:process";

/** A sequence of random values, given by its seed alone. */
export interface Random {
  /** What to print when a test fails. */
  readonly seed: number;
  /** An integer from 0 up to, but not including, `below` (at most 2^32). */
  integer(below: number): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** That many bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** A seed that differs from run to run, or the one in `SEED`; print it. */
export function freshSeed(): number {
  const given = process.env["SEED"];
  return given === undefined
    ? Math.floor(Math.random() * 2 ** 32)
    : Number(given);
}

/** Spreads neighbouring seeds apart, and never gives the 0 that sticks. */
function spread(seed: number): number {
  const mixed = Math.imul((seed ^ (seed >>> 16)) + 0x9e3779b9, 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0 || 1;
}

/** Starts the sequence of a seed (a uint32). */
export function random(seed: number): Random {
  let state = spread(seed);
  /** Marsaglia's xorshift32. */
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const integer = (below: number) => Math.floor(next() / 2 ** 32 * below);
  return {
    seed,
    integer,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError("Cannot pick from nothing");
      return items[integer(items.length)] as T;
    },
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let i = 0; i < words.length; i++) words[i] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}

/** The first `length` bytes of a seed's sequence. */
export function bytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return random(seed).bytes(length);
}
