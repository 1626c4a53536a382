/**
 * An HTTP server that hands out the newest snapshot: a source is an ordinary
 * web stream, and so the body of a response.
 *
 *     deno run -A examples/http_serve.ts DIR [PORT]
 *     curl -OJ http://localhost:8000/
 */

import process from "node:process";
import { openFileSnapshotStore, type SnapshotMeta } from "@raft/snapshots";
import { serve } from "./serve.ts";

const [directory = "./data", port = "8000"] = process.argv.slice(2);
// A reader needs no lock: this may run beside the node that writes snapshots.
const store = await openFileSnapshotStore(directory, { readOnly: true });

async function handle(_request: Request): Promise<Response> {
  const [newest] = await store.list();
  if (newest === undefined) {
    return new Response("there is no snapshot yet\n", { status: 404 });
  }
  // Bytes are read from the disk as the client takes them. When they turn out
  // to be damaged the response breaks off instead of ending well.
  const source = await store.open(newest.id);
  return new Response(source, { headers: headersOf(source.meta) });
}

function headersOf(meta: SnapshotMeta): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "content-length": String(meta.size),
    "content-disposition": `attachment; filename="${meta.id}.bin"`,
    // Not every server passes the content length of a stream on.
    "raft-size": String(meta.size),
    "raft-index": String(meta.index),
    "raft-term": String(meta.term),
    "raft-configuration": encodeURIComponent(
      JSON.stringify(meta.configuration),
    ),
    "raft-configuration-index": String(meta.configurationIndex),
  };
}

console.log(
  `listening on http://localhost:${await serve(handle, Number(port))}/`,
);
