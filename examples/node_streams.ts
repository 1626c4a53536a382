/**
 * Node streams in and out: pipes a file into a snapshot, and the snapshot
 * through gzip into another file.
 *
 *     deno run -A examples/node_streams.ts DIR FILE FILE.gz
 */

import { createReadStream, createWriteStream } from "node:fs";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { openFileSnapshotStore } from "@raft/snapshots";
import { toNodeReadable, toNodeWritable } from "@raft/snapshots/node";

const [directory = "", from = "", to = ""] = process.argv.slice(2);
const store = await openFileSnapshotStore(directory);

const sink = await store.create({
  index: 10n,
  term: 3n,
  configuration: { servers: [] },
  configurationIndex: 0n,
});
// When the file can't be read, pipeline() destroys all its streams, and a
// writable that is destroyed publishes nothing.
await pipeline(createReadStream(from), toNodeWritable(sink));
console.log(`saved ${sink.id}: ${sink.meta.size} bytes`);

const source = await store.open(sink.id);
await pipeline(
  toNodeReadable(source),
  createGzip(),
  createWriteStream(to),
);
console.log(`exported it to ${to}`);

await store.close();
