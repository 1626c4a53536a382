/**
 * Many small snapshots, one after the other, beside the bare calls of the
 * system.
 *
 * @module
 */

import * as fs from "node:fs/promises";
import { join } from "node:path";
import { openFileSnapshotStore } from "@raft/snapshots";
import { filled, INIT, timed } from "./common.ts";

/** How many make one figure. */
const COUNT = 50;

/** Nine times as many come before, in which the engine compiles the code. */
const WARM_UP = 9;

/**
 * Creates and closes snapshots with 4 KiB of state: seconds for one when many
 * were written before, for one of the first, and for one by bare calls.
 */
export async function saveSmall(directory: string): Promise<number[]> {
  const store = await openFileSnapshotStore(directory, { retain: 2 });
  const state = filled(4096);
  let index = 0n;
  const save = async () => {
    const sink = await store.create({ index: ++index, ...INIT });
    const writer = sink.getWriter();
    await writer.write(state);
    await writer.close();
  };
  const first = await timed(() => repeat(save));
  for (let i = 0; i < WARM_UP; i++) await repeat(save);
  const warm = await timed(() => repeat(save));
  await store.close();
  const bare = await timeBare(join(directory, "bare"), state);
  return [warm, first, bare].map((seconds) => seconds / COUNT);
}

async function repeat(save: () => Promise<void>): Promise<void> {
  for (let i = 0; i < COUNT; i++) await save();
}

/** The least that makes three files durable, and reaps beside the next. */
async function timeBare(path: string, state: Uint8Array): Promise<number> {
  await fs.mkdir(path);
  const parent = await fs.open(path);
  const [meta, blocks] = [filled(160), filled(56)];
  let count = 0;
  let reaping: Promise<void> = Promise.resolve();
  const reap = async (name: string) => {
    await fs.rename(name, `${name}.deleted`);
    await parent.sync();
    await fs.rm(`${name}.deleted`, { recursive: true });
  };
  const save = async () => {
    const name = join(path, String(count++));
    const making = `${name}.tmp`;
    await fs.mkdir(making);
    const create = (file: string) => fs.open(join(making, file), "wx");
    const files = await Promise.all([
      create("state.bin"),
      create("meta.json"),
      create("blocks.crc64"),
      fs.open(making),
    ]);
    const [stateFile, metaFile, blocksFile] = files;
    await Promise.all([
      stateFile.write(state),
      metaFile.write(meta),
      blocksFile.write(blocks),
    ]);
    await Promise.all(files.map((file) => file.sync()));
    await Promise.all(files.map((file) => file.close()));
    await fs.rename(making, name);
    await parent.sync();
    await reaping;
    if (count > 2) reaping = reap(join(path, String(count - 3)));
  };
  await repeat(save);
  const seconds = await timed(() => repeat(save));
  await reaping;
  await parent.close();
  return seconds;
}
