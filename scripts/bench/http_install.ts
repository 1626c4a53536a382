/**
 * One process of `scripts/bench/http.ts`: a server of a store, on Deno, or a
 * follower that takes a snapshot over, and tells how long it took and how much memory.
 *
 *     http_install serve DIR
 *     http_install install URL ID DIR
 *
 * @module
 */

import process from "node:process";
import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";

async function serve(directory: string): Promise<void> {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  const handler = snapshotHandler(store, { authorize: () => true });
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(port),
  }, handler);
}

async function install(
  url: string,
  id: string,
  directory: string,
): Promise<void> {
  let residentMax = 0;
  const before = process.memoryUsage().rss;
  const startMs = performance.now();
  const remote = await openHttpSnapshotStore(url);
  const local = await openFileSnapshotStore(directory);
  await copySnapshot(remote, id, local, {
    onProgress() {
      residentMax = Math.max(residentMax, process.memoryUsage().rss);
    },
  });
  const seconds = (performance.now() - startMs) / 1000;
  await Promise.all([remote.close(), local.close()]);
  console.log(JSON.stringify({ seconds, peakBytes: residentMax - before }));
}

const [what, ...args] = process.argv.slice(2);
const [first = "", id = "", directory = ""] = args;
if (what === "serve") await serve(first);
else await install(first, id, directory);
