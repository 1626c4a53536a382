/**
 * save() of many small records, beside the same bytes in large chunks.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
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
  const store = await openFileSnapshotStore(directory);
  const save = (chunkSize: number) => async () => {
    const init = { index: 1n, ...INIT };
    const chunks = chunksOf(bytes, chunkSize);
    const seconds = await timed(() => store.save(init, chunks));
    for (const { id } of await store.list()) await store.delete(id);
    settle();
    return seconds;
  };
  const bare = (chunkSize: number) => async () => {
    const path = join(directory, "bare");
    const chunks = chunksOf(bytes, chunkSize);
    const seconds = await timed(() => writeBare(path, chunks));
    await rm(path);
    settle();
    return seconds;
  };
  const ways = [save(100), save(MIB), bare(100), bare(MIB)];
  // A turn writes 4 GB at full size; its millions of records compile at once.
  const figures = await byTurns(ways, { turns: 6, warmUp: 1 });
  await store.close();
  return figures;
}

/** So that none waits for the disk to give back the bytes of another. */
function settle(): void {
  spawnSync("sync");
}

/**
 * The least that records cost: they are copied to one buffer of 1 MiB while
 * another one is written, and synced in the end. No checksum, no other file.
 */
async function writeBare(path: string, chunks: Iterable<Uint8Array>) {
  const file = await open(path, "w");
  let [filling, writing] = [new Uint8Array(MIB), new Uint8Array(MIB)];
  let written: Promise<unknown> = Promise.resolve();
  let filled = 0;
  for (let chunk of chunks) {
    while (chunk.length >= MIB - filled) {
      filling.set(chunk.subarray(0, MIB - filled), filled);
      chunk = chunk.subarray(MIB - filled);
      filled = 0;
      await written;
      written = file.write(filling);
      [filling, writing] = [writing, filling];
    }
    filling.set(chunk, filled);
    filled += chunk.length;
  }
  await written;
  await file.write(filling, 0, filled);
  await file.sync();
  await file.close();
}
