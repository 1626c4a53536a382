/**
 * The loop that gathers many small chunks.
 *
 * @module
 */

import { quickLength } from "../bytes.ts";
import type { StateChunks } from "./state_input.ts";

/** The next chunk or the end, now or later. */
export type NextChunk =
  | IteratorResult<unknown>
  | PromiseLike<IteratorResult<unknown>>;

/** The chunks that were copied. */
interface Taken {
  /** How many bytes they have together. */
  readonly length: number;
  /** The chunk after them. */
  readonly next: NextChunk;
}

/**
 * Copies chunks to `batch` as long as they are there at once. The caller gets the
 * first one that has to wait, does not fit or needs a closer look.
 *
 * A loop of its own, because to copy a hundred bytes takes some fifteen
 * nanoseconds, so that one more call, field or `await` for each chunk is
 * measurable. The batch is small because V8, which compiles the loop while it
 * runs, would not know the code behind it yet, and would throw the compiled
 * code away at each end.
 */
export function takeSmall(
  batch: Uint8Array,
  chunks: StateChunks["chunks"],
  first: NextChunk,
): Taken {
  let next = first;
  let filled = 0;
  while (!("then" in next) && !next.done) {
    const length = quickLength(next.value);
    if (length === 0 || length > batch.length - filled) break;
    batch.set(next.value as Uint8Array, filled);
    filled += length;
    next = chunks.next();
  }
  return { length: filled, next };
}
