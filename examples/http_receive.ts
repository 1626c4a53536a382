/**
 * Takes over the newest snapshot of another node, which `http_serve.ts` serves.
 * The transfer resumes when the line breaks, every byte is checked, and in the
 * end the snapshot survives a power cut.
 *
 *     TOKEN=c2VjcmV0 deno run -A examples/http_receive.ts URL DIR
 */

import process from "node:process";
import { copySnapshot, openFileSnapshotStore } from "@raft/snapshots";
import { openHttpSnapshotStore } from "@raft/snapshots/http";

const [url = "http://localhost:8000", directory = "./copy"] = process.argv
  .slice(2);
const remote = await openHttpSnapshotStore(url, {
  headers: { authorization: `Bearer ${process.env["TOKEN"]}` },
  // A state that is too large for the disk is rejected before the first byte.
  maxSize: 64 * 1024 ** 3,
});
const local = await openFileSnapshotStore(directory);
try {
  const [newest] = await remote.list();
  if (newest === undefined) {
    console.log("there is no snapshot yet");
  } else {
    // No state is sent when this node has that snapshot already.
    const options = { ifMissing: true };
    const { id } = await copySnapshot(remote, newest.id, local, options);
    console.log(id);
  }
} finally {
  await Promise.all([remote.close(), local.close()]);
}
