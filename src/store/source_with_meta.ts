/**
 * What a source that users get has beside its stream.
 *
 * @module
 */

import { showAs } from "../runtime/show_as.ts";
import type { MadeSource } from "./source.ts";

/** A stream of bytes with what it is a stream of. */
export type SourceWithMeta<Meta> = MadeSource["stream"] & {
  readonly meta: Meta;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Adds the metadata to the stream, its disposal, and what is shown of it. */
export function withMeta<
  Meta extends { readonly id: string; readonly size: number },
>(
  made: MadeSource,
  meta: Meta,
  name: string,
): SourceWithMeta<Meta> {
  const { stream, abort } = made;
  showAs(stream, () => {
    const { taken: read, end } = made;
    const state = end?.how ?? "open";
    return { name, fields: { id: meta.id, size: meta.size, read, state } };
  });
  return Object.defineProperties(stream, {
    meta: { value: meta, enumerable: true },
    // Not cancel(): that is refused while a reader holds the lock, and a later
    // read would take the beginning for the whole. When all has been read, this
    // does nothing.
    [Symbol.asyncDispose]: { value: () => abort(disposed()) },
  }) as SourceWithMeta<Meta>;
}

function disposed(): DOMException {
  return new DOMException("the source was disposed of", "AbortError");
}
