/**
 * Shows that memory stays flat while an archive of many gigabytes is written
 * and read: a store of zeros is exported, and imported into a store that keeps
 * nothing.
 *
 *     deno run -A scripts/bench/archive_memory.ts [GIB] [LEVEL]
 *
 * @module
 */

import process from "node:process";
import {
  decodeMeta,
  DiscardSnapshotStore,
  encodeMeta,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const [gib = "20", level = "0"] = process.argv.slice(2);
const size = Number(gib) * GIB;

const meta = decodeMeta(encodeMeta({
  version: 1,
  id: "3-10-1700000000000",
  index: 10n,
  term: 3n,
  peers: Uint8Array.of(0xc0),
  configuration: { servers: [] },
  configurationIndex: 2n,
  size,
  crc: 0n,
}));

/** The zeros, a MiB at a time. */
function open(): Promise<SnapshotSource> {
  let left = size;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = new Uint8Array(Math.min(left, MIB));
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  });
  const dispose = { [Symbol.asyncDispose]: () => stream.cancel() };
  return Promise.resolve(Object.assign(stream, { meta }, dispose));
}

const store: SnapshotStore = Object.assign(new DiscardSnapshotStore(), {
  open,
});

const startMs = performance.now();
let packed = 0;
let residentMax = 0;
const counted = new TransformStream<Uint8Array, Uint8Array>({
  transform(chunk, controller) {
    packed += chunk.length;
    controller.enqueue(chunk);
  },
});
const resident: number[] = [];
const imported = await importArchive(
  new DiscardSnapshotStore(),
  exportArchive(store, meta.id, { level: Number(level) }).pipeThrough(counted),
  {
    onProgress({ done, total }) {
      const { rss } = process.memoryUsage();
      residentMax = Math.max(residentMax, rss);
      // Ten readings on the way.
      if (done * 10 >= total * (resident.length + 1)) resident.push(rss);
    },
  },
);
const seconds = (performance.now() - startMs) / 1000;

if (imported.size !== size) throw new Error(`Imported ${imported.size} bytes`);
const mib = (bytes: number) => (bytes / MIB).toFixed(0);
console.log(
  `${mib(size)} MiB of state, ${mib(packed)} MiB of archive, ` +
    `${seconds.toFixed(1)} s, ${mib(size / seconds)} MiB/s`,
);
console.log(`resident MiB on the way: ${resident.map(mib).join(" ")}`);
console.log(`resident at most: ${mib(residentMax)} MiB`);
