/**
 * A process that writes a state to a bucket, or reads one, and says how much
 * memory that took at most: `transfer.ts put|get LOCATION MiB`. Prints JSON.
 */

import process from "node:process";
import { openS3SnapshotStore } from "@raft/snapshots/s3";

const [, , what, location = "", sizeMiB = "0"] = process.argv;
const MiB = 1024 * 1024;
const block = new Uint8Array(MiB);
for (let i = 0; i < MiB; i++) block[i] = (i * 31 + (i >>> 8)) & 0xff;

let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20);

function* blocks(): Generator<Uint8Array> {
  for (let i = 0; i < Number(sizeMiB); i++) yield block;
}

const store = await openS3SnapshotStore(location, {
  endpoint: process.env.S3_TEST_ENDPOINT,
  credentials: { accessKeyId: "key", secretAccessKey: "secret" },
});
if (what === "put") {
  const configuration = { servers: [] };
  const init = { index: 1, term: 1, configuration, configurationIndex: 1 };
  await store.save(init, blocks());
} else {
  const [newest] = await store.list();
  if (newest === undefined) {
    throw new Error("Cannot read: there is no snapshot");
  }
  let size = 0;
  for await (const chunk of await store.open(newest.id)) size += chunk.length;
  if (size !== Number(sizeMiB) * MiB) throw new Error(`Read ${size} bytes`);
}
await store.close();
clearInterval(watch);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({ peakMiB: peak / MiB, cpuMs: (user + system) / 1000 }),
);
