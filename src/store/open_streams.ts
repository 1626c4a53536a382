/**
 * The open sinks and sources of a store.
 *
 * @module
 */

/** Ends a sink, a source or a check; resolves once it holds nothing. */
export type Abort = (reason: unknown) => Promise<void>;

/** The streams and checks that `close()` of a store has to end. */
export class OpenStreams {
  readonly #aborts = new Set<Abort>();

  /** Notes a stream; the function that it returns forgets the stream again. */
  add(abort: Abort): () => void {
    this.#aborts.add(abort);
    return () => {
      this.#aborts.delete(abort);
    };
  }

  /** Ends all streams; resolves, never rejects, once they hold nothing. */
  async abortAll(reason: unknown): Promise<void> {
    await Promise.allSettled([...this.#aborts].map((abort) => abort(reason)));
  }
}
