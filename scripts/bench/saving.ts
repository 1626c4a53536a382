/**
 * save() of many small records, beside the same bytes in large chunks.
 *
 * @module
 */

import { openFileSnapshotStore } from "@raft/snapshots";
import { byTurns, filled, INIT, MIB, timed } from "./common.ts";

/** Chunks of so many bytes, `total` bytes in all. */
function* chunksOf(total: number, chunkSize: number) {
  const chunk = filled(chunkSize);
  for (let left = total; left > 0; left -= chunkSize) {
    yield left < chunkSize ? chunk.subarray(0, left) : chunk;
  }
}

/** save() of records of a hundred bytes, and of the same bytes in chunks. */
export async function saveBoth(
  directory: string,
  bytes: number,
): Promise<number[]> {
  const store = await openFileSnapshotStore(directory, { retain: 1 });
  const save = (chunkSize: number) => () =>
    timed(() => store.save({ index: 1n, ...INIT }, chunksOf(bytes, chunkSize)));
  const figures = await byTurns([save(100), save(MIB)]);
  await store.close();
  return figures;
}
