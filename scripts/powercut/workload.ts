/**
 * The work in which the power is cut: everything that a store and the command
 * `export` do to a disk. A process of its own:
 * `deno run -A workload.ts CONTROL CONTENTS SYNCS`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { SnapshotStore } from "@raft/snapshots";
import { exportArchive } from "@raft/snapshots/archive";
import { BASE } from "../../tests/crash/recovery.ts";
import { type Plan, Stage } from "../../tests/crash/store_client.ts";
import { mustRun } from "../support/command.ts";
import { PLACE } from "./disk.ts";
import { fileSystemWith, type Syncs } from "./lazy_file_system.ts";
import { MarkedLedger } from "./marks.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const [control = "", contents = "", syncs = "all"] = Deno.args;
const ledger = new MarkedLedger(control, contents);
const stage = new Stage(fileSystemWith(syncs as Syncs), ledger);

async function takeAll(
  store: SnapshotStore,
  plans: readonly Plan[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const plan of plans) ids.push(await stage.take(store, plan));
  return ids;
}

function pathOf(id: string | undefined, file: string): string {
  return `${BASE}/snapshots/${id}/${file}`;
}

/** A store whose newest snapshot is corrupt, and one that Go has written. */
async function leaveBehind(): Promise<void> {
  const store = await stage.open({ retain: 3 });
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
  ledger.spoiled(newest);
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
  ledger.exporting(path, archive);
  const args = ["run", "--allow-all", "--quiet", CLI, "export", BASE, id, path];
  await mustRun(Deno.execPath(), args);
  ledger.exported(path, archive);
}

async function exportTo(
  store: SnapshotStore,
  id: string,
  path: string,
): Promise<void> {
  // The tool leaves out no sync.
  if (syncs === "all") await exportWithTool(store, id, path);
  else await stage.export(store, id, path);
}

/** One archive in place of another, and one where there was none. */
async function exportAll(
  store: SnapshotStore,
  first: string,
  second: string,
): Promise<void> {
  await exportTo(store, first, `${PLACE}/backup.snap`);
  await stage.export(store, second, `${PLACE}/other.snap`);
  await exportTo(store, second, `${PLACE}/backup.snap`);
  await stage.export(store, first, `${PLACE}/other.snap`);
}

/** A node starts again, on what was left behind. */
async function startAgain(): Promise<void> {
  const store = await stage.open({ retain: 3 });
  await stage.restore(store);
  for (const { id } of await store.list()) await stage.seal(store, id);
  const [empty = ""] = await takeAll(store, [{ index: 4, size: 0 }]);
  await stage.delete(store, empty);
  const [large = "", small = ""] = await takeAll(store, [
    { index: 5, size: 1_500_000 },
    { index: 6, size: 700 },
  ]);
  await exportAll(store, large, small);
  await store.close();
}

/** Several snapshots at a time, and some that are given up. */
async function goOn(): Promise<void> {
  const store = await stage.open({ retain: 3, blockSize: 65_536 });
  const { sink } = await stage.write(store, { index: 7, size: 300_000 });
  await Promise.all(
    [8, 9].map((index) => stage.take(store, { index, size: 30_000 * index })),
  );
  await sink.abort(new Error("given up"));
  await stage.write(store, { index: 10, size: 50_000 });
  await takeAll(store, [{ index: 11, size: 4096 }]);
  await store.reap();
  await store.close();
}

ledger.keep(3);
await leaveBehind();
ledger.begin();
await startAgain();
await goOn();
ledger.end();
