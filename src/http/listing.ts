/**
 * The list of snapshots as JSON.
 *
 * @module
 */

import type { ServedStore } from "./served_store.ts";

/** The usable snapshots, newest first, as the bytes of a JSON text. */
export async function listSnapshots(
  store: Pick<ServedStore, "list">,
): Promise<Uint8Array> {
  const snapshots = await store.list();
  const text = `${JSON.stringify({ snapshots }, null, 2)}\n`;
  return new TextEncoder().encode(text);
}
