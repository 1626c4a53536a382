/**
 * Adds to the stream of a source the members that users see.
 *
 * @module
 */

import { showAs } from "../runtime/show_as.ts";
import type { MadeSource } from "./source.ts";

/** A stream of bytes, with the metadata of the snapshot or archive. */
export type SourceWithMeta<Meta> = MadeSource["stream"] & {
  readonly meta: Meta;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Adds the metadata to the stream, its disposal, and its text form. */
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
    // Not cancel(), which rejects while a reader holds the lock; and a later
    // read would look like the end of the state. When all has been read, this
    // does nothing.
    [Symbol.asyncDispose]: { value: () => abort(disposed()) },
  }) as SourceWithMeta<Meta>;
}

function disposed(): DOMException {
  return new DOMException("the source was disposed of", "AbortError");
}
