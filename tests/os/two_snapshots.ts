/**
 * Takes two snapshots in the directory that is given, of which one is kept.
 *
 * @module
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

const store = await openFileSnapshotStore(process.argv[2] ?? "", { retain: 1 });
for (const index of [1n, 2n]) {
  const sink = await store.create({
    index,
    term: 1n,
    configuration: { servers: [] },
    configurationIndex: 1n,
  });
  await new Blob(["state"]).stream().pipeTo(sink);
}
await store.close();
