/**
 * Serves a node's snapshots to its followers. Any node may do so, not only the
 * leader.
 *
 *     TOKEN=c2VjcmV0 deno run -A examples/http_serve.ts DIR [PORT]
 *     curl -H "authorization: Bearer c2VjcmV0" http://localhost:8000/snapshots
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";
import { bearerToken, snapshotHandler } from "@raft/snapshots/http";
import { serve } from "./serve.ts";

const [directory = "./data", port = "8000"] = process.argv.slice(2);
// A reader needs no lock: this may run beside the node that writes snapshots.
const store = await openFileSnapshotStore(directory, { readOnly: true });
const handler = snapshotHandler(store, {
  // It refuses to start without one.
  authorize: bearerToken(process.env["TOKEN"] ?? ""),
});

console.log(
  `listening on http://localhost:${await serve(handler, Number(port))}/`,
);
