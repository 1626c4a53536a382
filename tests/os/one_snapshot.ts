/**
 * Takes one snapshot in the directory that is given.
 *
 * @module
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

const store = await openFileSnapshotStore(process.argv[2] ?? "");
const sink = await store.create({
  index: 1n,
  term: 1n,
  configuration: { servers: [] },
  configurationIndex: 1n,
});
await new Blob(["state"]).stream().pipeTo(sink);
await store.close();
