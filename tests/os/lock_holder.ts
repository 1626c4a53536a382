/** Opens the store that it is given, and holds it until it is killed. */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

const [directory = ""] = process.argv.slice(2);
await openFileSnapshotStore(directory);
process.stdout.write("open\n");
setInterval(() => {}, 1000);
