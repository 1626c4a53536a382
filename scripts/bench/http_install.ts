/**
 * One process of `scripts/bench/http.ts`: a server of a store, on Deno, or a
 * client that tells how long it took, and how much memory and processor time:
 *
 *     http_install serve DIR
 *     http_install install URL ID DIR    copySnapshot(), checked and durable
 *     http_install download URL ID DIR   the runtime alone, without checks
 *
 * @module
 */

import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";

const MIB = 1024 ** 2;

/** The snapshot that a client takes over, and where it goes. */
interface Task {
  readonly url: string;
  readonly id: string;
  readonly directory: string;
  /** Called now and then. */
  readonly onProgress: () => void;
}

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
  { url, id, directory, onProgress }: Task,
): Promise<void> {
  const remote = await openHttpSnapshotStore(url);
  const local = await openFileSnapshotStore(directory);
  await copySnapshot(remote, id, local, { onProgress });
  await Promise.all([remote.close(), local.close()]);
}

/** The loop of `fetch`, with a write under way while the next bytes come. */
async function download(
  { url, id, directory, onProgress }: Task,
): Promise<void> {
  await mkdir(directory);
  const file = await open(join(directory, "state.bin"), "w");
  const headers = { "accept-encoding": "identity" };
  const { body } = await fetch(`${url}/snapshots/${id}`, { headers });
  let [buffer, spare] = [new Uint8Array(MIB), new Uint8Array(MIB)];
  let filled = 0;
  let writing: Promise<unknown> = Promise.resolve();
  for await (const chunk of body ?? []) {
    for (let rest = chunk; rest.length > 0;) {
      const part = rest.subarray(0, MIB - filled);
      buffer.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < MIB) continue;
      await writing;
      writing = file.write(buffer);
      [buffer, spare] = [spare, buffer];
      filled = 0;
      onProgress();
    }
  }
  await writing;
  await file.write(buffer, 0, filled);
  await file.sync();
  await file.close();
}

async function measure(work: (task: Task) => Promise<void>, [
  url = "",
  id = "",
  directory = "",
]: readonly string[]): Promise<void> {
  let [residentMax, calls] = [0, 0];
  const before = process.memoryUsage().rss;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const onProgress = () => {
    // On Node a look takes a quarter of a millisecond.
    if (calls++ % 32 > 0) return;
    residentMax = Math.max(residentMax, process.memoryUsage().rss);
  };
  await work({ url, id, directory, onProgress });
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(JSON.stringify({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: residentMax - before,
  }));
}

const [what, ...args] = process.argv.slice(2);
if (what === "serve") await serve(args[0] ?? "");
else await measure(what === "install" ? install : download, args);
