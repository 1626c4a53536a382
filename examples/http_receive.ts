/**
 * An HTTP server that takes a snapshot in: the body of a request is an ordinary
 * web stream, and so goes straight into a sink. It understands the headers that
 * `http_serve.ts` sends.
 *
 *     deno run -A examples/http_receive.ts DIR [PORT]
 *     curl -T FILE -H "raft-index: 10" -H "raft-term: 3" http://localhost:8000/
 */

import process from "node:process";
import {
  type Configuration,
  openFileSnapshotStore,
  type SnapshotInit,
} from "@raft/snapshots";
import { serve } from "./serve.ts";

const [directory = "./data", port = "8000"] = process.argv.slice(2);
const store = await openFileSnapshotStore(directory);

async function handle(request: Request): Promise<Response> {
  const { headers, body } = request;
  if (request.method !== "PUT" || body === null) {
    return new Response("PUT a snapshot\n", { status: 405 });
  }
  const size = headers.get("raft-size") ?? headers.get("content-length");
  if (size === null) {
    return new Response("say how long it is\n", { status: 411 });
  }
  try {
    const sink = await store.create(initOfHeaders(headers));
    // When the pipe breaks, wherever it does, it aborts the sink: nothing of
    // the snapshot stays behind.
    await body.pipeThrough(exactly(Number(size))).pipeTo(sink);
    return new Response(`${sink.id}\n`, { status: 201 });
  } catch (error) {
    return new Response(`${error}\n`, { status: 400 });
  }
}

function initOfHeaders(headers: Headers): SnapshotInit {
  const uint64 = (name: string) => BigInt(headers.get(name) ?? 0);
  const configuration = headers.get("raft-configuration");
  return {
    index: uint64("raft-index"),
    term: uint64("raft-term"),
    configuration: configuration === null
      ? { servers: [] }
      : JSON.parse(decodeURIComponent(configuration)) as Configuration,
    configurationIndex: uint64("raft-configuration-index"),
  };
}

/**
 * Lets exactly that many bytes through. A snapshot that came in short must not
 * be taken for a whole one, whatever the transport thinks of it.
 */
function exactly(expected: number): TransformStream<Uint8Array, Uint8Array> {
  let received = 0;
  return new TransformStream({
    transform(chunk, controller) {
      received += chunk.length;
      controller.enqueue(chunk);
    },
    flush() {
      if (received === expected) return;
      throw new Error(
        `Cannot accept the snapshot: found ${received} bytes, ` +
          `expected ${expected}`,
      );
    },
  });
}

console.log(
  `listening on http://localhost:${await serve(handle, Number(port))}/`,
);
