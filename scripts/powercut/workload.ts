/**
 * The workload during which the power is cut: everything that a store and the
 * command `export` do to a disk. It runs as a process:
 * `deno run -A workload.ts CONTROL CONTENTS SYNCS`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { SnapshotStore } from "@raft/snapshots";
import { exportArchive } from "@raft/snapshots/archive";
import { BASE } from "../../tests/crash/recovery.ts";
import { type Plan, StoreClient } from "../../tests/crash/store_client.ts";
import { mustRun } from "../support/command.ts";
import { PLACE } from "./disk.ts";
import { fileSystemWith, type Syncs } from "./lazy_file_system.ts";
import { LoggedExpectations } from "./marks.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const [control = "", contents = "", syncs = "all"] = Deno.args;
const expectations = new LoggedExpectations(control, contents);
const client = new StoreClient(fileSystemWith(syncs as Syncs), expectations);

async function takeAll(
  store: SnapshotStore,
  plans: readonly Plan[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const plan of plans) ids.push(await client.take(store, plan));
  return ids;
}

function pathOf(id: string | undefined, file: string): string {
  return `${BASE}/snapshots/${id}/${file}`;
}

/** Makes a store whose newest snapshot is corrupt and whose oldest is Go's. */
async function prepare(): Promise<void> {
  const store = await client.open({ retain: 3 });
  const [oldest, , newest = ""] = await takeAll(store, [
    { index: 1, size: 6000 },
    { index: 2, size: 200_000 },
    { index: 3, size: 9000 },
  ]);
  await store.close();
  await Deno.remove(pathOf(oldest, "blocks.crc64"));
  const state = await Deno.readFile(pathOf(newest, "state.bin"));
  state[4500] = (state[4500] ?? 0) ^ 1;
  await Deno.writeFile(pathOf(newest, "state.bin"), state);
  expectations.corrupted(newest);
  await mustRun("sync", ["--file-system", PLACE]);
}

/** Runs the command line tool itself. */
async function exportWithTool(
  store: SnapshotStore,
  id: string,
  path: string,
): Promise<void> {
  const archive = new Uint8Array(
    await new Response(exportArchive(store, id)).arrayBuffer(),
  );
  expectations.exporting(path, archive);
  const args = ["run", "--allow-all", "--quiet", CLI, "export", BASE, id, path];
  await mustRun(Deno.execPath(), args);
  expectations.exported(path, archive);
}

async function exportTo(
  store: SnapshotStore,
  id: string,
  path: string,
): Promise<void> {
  // The tool leaves out no sync.
  if (syncs === "all") await exportWithTool(store, id, path);
  else await client.export(store, id, path);
}

/** One archive in place of another, and one where there was none. */
async function exportAll(
  store: SnapshotStore,
  first: string,
  second: string,
): Promise<void> {
  await exportTo(store, first, `${PLACE}/backup.snap`);
  await client.export(store, second, `${PLACE}/other.snap`);
  await exportTo(store, second, `${PLACE}/backup.snap`);
  await client.export(store, first, `${PLACE}/other.snap`);
}

/** Acts as a node that restarts, with all commands. */
async function restartNode(): Promise<void> {
  const store = await client.open({ retain: 3 });
  await client.restore(store);
  for (const { id } of await store.list()) await client.seal(store, id);
  const [empty = ""] = await takeAll(store, [{ index: 4, size: 0 }]);
  await client.delete(store, empty);
  const [large = "", small = ""] = await takeAll(store, [
    { index: 5, size: 1_500_000 },
    { index: 6, size: 700 },
  ]);
  await exportAll(store, large, small);
  await store.close();
}

/** Takes several snapshots at a time, and aborts some. */
async function takeConcurrently(): Promise<void> {
  const store = await client.open({ retain: 3, blockSize: 65_536 });
  const { sink } = await client.write(store, { index: 7, size: 300_000 });
  await Promise.all(
    [8, 9].map((index) => client.take(store, { index, size: 30_000 * index })),
  );
  await sink.abort(new Error("given up"));
  await client.write(store, { index: 10, size: 50_000 });
  await takeAll(store, [{ index: 11, size: 4096 }]);
  await store.reap();
  await store.close();
}

expectations.keep(3);
await prepare();
expectations.begin();
await restartNode();
await takeConcurrently();
expectations.end();
