/**
 * The list of snapshots as JSON.
 *
 * @module
 */

import type { SnapshotMeta } from "../snapshot/types.ts";
import type { ServedStore } from "./served_store.ts";

/** The usable snapshots, newest first, as the bytes of a JSON text. */
export async function listSnapshots(
  store: Pick<ServedStore, "list">,
): Promise<Uint8Array> {
  const snapshots = (await store.list()).map(toJson);
  const text = `${JSON.stringify({ snapshots }, null, 2)}\n`;
  return new TextEncoder().encode(text);
}

/** Integers of 64 bits as strings: most readers of JSON would round them. */
function toJson({ id, index, term, size, crc }: SnapshotMeta) {
  return {
    id,
    index: String(index),
    term: String(term),
    size,
    crc: crc.toString(16).padStart(16, "0"),
  };
}
