/**
 * Lets a source read from a generator of bytes.
 *
 * @module
 */

import type { SourceReader } from "../store/source.ts";

/** The bytes of a source, on a buffer of their own. */
type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads the chunks of a generator. `release` is called to end the generator,
 * also at its own end, and possibly more than once: it must end the generator's
 * pending waits, and never reject. Then the generator's `return()` is called.
 */
export function readerOf(
  chunks: AsyncGenerator<Bytes, void, void>,
  release: (reason: unknown) => Promise<void>,
): SourceReader {
  return {
    next: async () => {
      const { done, value } = await chunks.next();
      return done ? undefined : value;
    },
    end: async (reason) => {
      await release(reason);
      // The source has its error already; no caller would see a second one.
      await chunks.return().catch(() => {});
    },
  };
}
