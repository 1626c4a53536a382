/**
 * A generator of bytes, as what a source reads.
 *
 * @module
 */

import type { SourceReader } from "../store/source.ts";

/** The bytes of a source, on a buffer of their own. */
type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads what a generator yields. `release` is called when the generator is to
 * end, also at its own end, and maybe more than once: it must make the
 * generator's pending waits end, and never reject. The generator is then
 * returned.
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
      // The source has its error already; a second one would reach no caller.
      await chunks.return().catch(() => {});
    },
  };
}
