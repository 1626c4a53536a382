/**
 * Properties that hold for every input, on inputs that a seed reproduces.
 *
 * @module
 */

import {
  type Arbitrary,
  assert,
  asyncProperty,
  type IAsyncProperty,
} from "fast-check";
import { report, sample } from "../support/full_run.ts";
import { freshSeed } from "../support/random.ts";

const seed = freshSeed();

/**
 * Tries that many inputs, a hundred times as many in the full run. When one
 * fails, the message has the smallest input that fails too, and a seed.
 */
export async function holdsFor<T>(
  inputs: Arbitrary<T>,
  count: number,
  check: (input: T) => void | Promise<void>,
): Promise<void> {
  const numRuns = sample(count, 100 * count);
  const property: IAsyncProperty<[T]> = asyncProperty(inputs, async (input) => {
    await check(input);
  });
  // fast-check takes a signed integer. A hanging run fails, with its input.
  await assert(property, { seed: seed | 0, numRuns, timeout: 60_000 });
  report("inputs fuzzed", numRuns);
}
