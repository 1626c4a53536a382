/**
 * The parts that the workloads have in common.
 *
 * @module
 */

import { median } from "./median.ts";

/** Bytes of a MiB. */
export const MIB = 1024 * 1024;

/** The metadata of every snapshot, without the index. */
export const INIT = {
  term: 3n,
  configuration: {
    servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
  },
  configurationIndex: 2n,
} as const;

/** The same bytes in every contestant: not zeros, which some would skip. */
export function filled(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

/** Seconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/**
 * Several ways to do something, by turns in one process; the median of each.
 * In processes of their own they would differ by how far the engine has
 * compiled, and by where the allocator puts things.
 */
export async function byTurns(
  ways: readonly (() => Promise<number>)[],
  { turns = 13, warmUp = 4 } = {},
): Promise<number[]> {
  const measured = ways.map((way) => ({ way, seconds: [] as number[] }));
  for (let turn = 0; turn < turns; turn++) {
    // Each runs in the memory that the one before has left.
    const order = turn % 2 === 0 ? measured : measured.toReversed();
    for (const { way, seconds } of order) seconds.push(await way());
  }
  // In the first turns the runtime still compiles.
  return measured.map(({ seconds }) => median(seconds.slice(warmUp)));
}
