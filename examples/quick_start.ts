/**
 * Save a snapshot, look at what there is, restore it: the three things that a
 * Raft node does. Makes the directory `data` where it is run.
 *
 *     deno run -A examples/quick_start.ts
 */

import { openFileSnapshotStore } from "@raft/snapshots";

const store = await openFileSnapshotStore("./data", { retain: 3 });

// Save. The sink is a WritableStream: pipe your state into it.
const sink = await store.create({
  index: 10n,
  term: 3n,
  configuration: {
    servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
  },
  configurationIndex: 2n,
});
const state = new Blob(["x = 1\n", "y = 2\n"]).stream();
await state.pipeTo(sink);
// Only now may Raft drop its log up to index 10: the snapshot outlives a power
// cut. Had the stream failed, there would be no trace of it.

// Look.
for (const { id, index, term, size } of await store.list()) {
  console.log(`${id}: ${size} bytes, index ${index} of term ${term}`);
}

// Restore, as a node does when it starts: the newest snapshot whose every byte
// is as it was written.
const restored = await store.restore(async (source) => {
  console.log(await new Response(source).text());
});
console.log(`the log continues after index ${restored?.meta.index}`);

await store.close();
