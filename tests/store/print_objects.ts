/**
 * Prints a store, its sinks and its sources: the runtime's `console.log` is
 * tested, so this is a program of its own.
 */

import { DiscardSnapshotStore, MemorySnapshotStore } from "@raft/snapshots";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { letOthersWork } from "../support/store_fixture.ts";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";

const init = {
  index: 10n,
  term: 3n,
  configuration: { servers: [] },
  configurationIndex: 2n,
};
const options = { clock: () => 1000 };

const store = new MemorySnapshotStore(options);
console.log(store);
const sink = await store.create(init);
console.log(sink);
await new Blob(["state"]).stream().pipeTo(sink);
console.log(sink);
const source = await store.open(sink.id);
console.log({ inside: [source] });
await new Response(source).text();
// A pipe notes its end a moment after its last byte.
await letOthersWork();
console.log(source);
const cancelled = await store.create(init);
await cancelled.cancel();
console.log(cancelled);
await store.close();
console.log(store);
console.log(new DiscardSnapshotStore());
console.log(await openSnapshotStore(new MemoryBackend()));
