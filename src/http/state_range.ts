/**
 * Opens a part of a state so that its first byte comes soon.
 *
 * @module
 */

import type { ByteRange } from "../snapshot/open_options.ts";
import type { SnapshotSource } from "../snapshot/types.ts";
import type { ServedStore } from "./served_store.ts";

/**
 * The bytes from `start` to `end` as a stream that must be read out or
 * cancelled. With block checksums each block is checked. Without them the store
 * would read the whole state before it hands out a part, longer than a client
 * waits; so it is read from its beginning, in one pass, and checked at its end.
 * The client checks its bytes, too.
 */
export async function openRange(
  store: Pick<ServedStore, "header" | "open">,
  id: string,
  { start, end }: ByteRange,
): Promise<ReadableStream<Uint8Array>> {
  const { blocks } = await store.header(id);
  if (blocks !== undefined) return await store.open(id, { start, end });
  const source = await store.open(id, { verify: "stream" });
  return part(source, { start, end });
}

/** Lets the bytes from `start` to before `end` through. */
function part(
  source: SnapshotSource,
  { start, end }: ByteRange,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  // At the end of the state the source is read to its own end, because the check
  // of the whole is there.
  const isToTheEnd = end === source.meta.size;
  let position = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    while (isToTheEnd || position < end) {
      const { value } = await reader.read();
      if (value === undefined) return undefined;
      const wanted = value.subarray(
        Math.max(start - position, 0),
        Math.max(end - position, 0),
      );
      position += value.length;
      if (wanted.length > 0) return wanted;
    }
    await reader.cancel();
    return undefined;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const bytes = await next();
      if (bytes === undefined) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
