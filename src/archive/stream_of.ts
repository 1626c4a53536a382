/**
 * A web stream of what a generator yields.
 *
 * @module
 */

/** A generator of bytes, and how to end it. */
export interface StreamOfOptions {
  /** Errors the stream when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when the stream has failed or is not wanted any more. It must make
   * the generator's pending waits end; the generator is then returned.
   */
  readonly release: (reason: unknown) => Promise<void>;
}

/**
 * Makes a stream that asks the generator for nothing before it is read, so that
 * a stream that is not read holds nothing.
 */
export function streamOf<Bytes extends Uint8Array>(
  chunks: AsyncGenerator<Bytes, void, void>,
  { signal, release }: StreamOfOptions,
): ReadableStream<Bytes> {
  let onAbort = () => {};
  const forget = () => signal?.removeEventListener("abort", onAbort);
  const stop = async (reason: unknown) => {
    forget();
    await release(reason);
    // The stream has its error already; a second one would reach no caller.
    await chunks.return().catch(() => {});
  };
  return new ReadableStream({
    start(controller) {
      onAbort = () => {
        controller.error(signal?.reason);
        void stop(signal?.reason);
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return controller.enqueue(value);
      } catch (error) {
        await stop(error);
        throw error;
      }
      forget();
      controller.close();
    },
    cancel: stop,
  }, { highWaterMark: 0 });
}
