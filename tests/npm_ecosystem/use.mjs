// Saves a snapshot in memory and in a directory, and reads it back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemorySnapshotStore, openFileSnapshotStore } from "@raft/snapshots";

const init = {
  index: 1n,
  term: 1n,
  configuration: { servers: [] },
  configurationIndex: 1n,
};

async function saveAndLoad(store) {
  const { id } = await store.save(init, new TextEncoder().encode("state"));
  const text = await new Response(await store.open(id)).text();
  await store.close();
  if (text !== "state") throw new Error(`Read ${text}, expected "state"`);
}

const directory = mkdtempSync(join(tmpdir(), "ecosystem-"));
await saveAndLoad(new MemorySnapshotStore());
await saveAndLoad(await openFileSnapshotStore(directory));
rmSync(directory, { recursive: true });
console.log("saved and loaded");
