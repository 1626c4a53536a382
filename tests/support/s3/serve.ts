/**
 * Object storage in memory as a real server, for other processes.
 */

import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { MemoryS3, type MemoryS3Options } from "./memory_s3.ts";

/** A server; the caller must close it. */
export interface ServedS3 {
  readonly memory: MemoryS3;
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts a server on a port of its own. */
export async function serveS3(
  options: MemoryS3Options = {},
): Promise<ServedS3> {
  const memory = new MemoryS3(options);
  const server = createServer(async (request, response) => {
    const answer = await memory.fetch(urlOf(request), await initOf(request));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { memory, endpoint: `http://127.0.0.1:${port}`, close };
}

function urlOf({ headers, url }: IncomingMessage): string {
  return `http://${headers.host}${url}`;
}

async function initOf(request: IncomingMessage): Promise<RequestInit> {
  const { method = "GET" } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    headers.set(name, String(value));
  }
  const body = new Uint8Array(await buffer(request));
  return { method, headers, ...(body.length > 0 ? { body } : {}) };
}
