/**
 * Saves a snapshot, lists the snapshots, restores the newest: the three things
 * that a Raft node does. Makes the directory `data` in the working directory.
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
// From here on Raft may drop its log up to index 10, because the snapshot
// survives a power cut. If the stream fails, no trace of the snapshot stays.

// List.
for (const { id, index, term, size } of await store.list()) {
  console.log(`${id}: ${size} bytes, index ${index} of term ${term}`);
}

// Restore, as a node does when it starts: the newest snapshot whose every byte
// is the written one.
const restored = await store.restore(async (source) => {
  console.log(await new Response(source).text());
});
console.log(`the log continues after index ${restored?.meta.index}`);

await store.close();
