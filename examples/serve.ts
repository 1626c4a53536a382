/** Serves a web-standard handler on Deno, Bun and Node. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { toNodeReadable } from "@raft/snapshots/node";

/** Answers a request. */
export type Handler = (request: Request) => Promise<Response>;

/** The servers that Deno and Bun have; only one of them is there, or none. */
interface Servers {
  readonly Deno?: {
    serve(options: { port: number; onListen(): void }, handler: Handler): {
      readonly addr: { readonly port: number };
    };
  };
  readonly Bun?: {
    serve(options: { port: number; fetch: Handler }): { readonly port: number };
  };
}

/** Starts to listen; 0 takes any free port. Resolves to the port. */
export async function serve(handler: Handler, port: number): Promise<number> {
  const { Deno, Bun } = globalThis as unknown as Servers;
  if (Deno) return Deno.serve({ port, onListen() {} }, handler).addr.port;
  if (Bun) return Bun.serve({ port, fetch: handler }).port;
  return await serveOnNode(handler, port);
}

function serveOnNode(handler: Handler, port: number): Promise<number> {
  const server = createServer(async (incoming, outgoing) => {
    const hasBody = incoming.method !== "GET" && incoming.method !== "HEAD";
    const request = new Request(`http://localhost${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers: incoming.headers as Record<string, string>,
      body: hasBody ? Readable.toWeb(incoming) as ReadableStream : null,
      duplex: "half",
    } as RequestInit);
    const response = await handler(request).catch((error) => {
      console.error(error);
      return new Response("something went wrong\n", { status: 500 });
    });
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    const body = response.body === null
      ? Readable.from([])
      : toNodeReadable(response.body);
    // A client that goes away ends the pipeline, and that closes the snapshot.
    await pipeline(body, outgoing).catch((error) => console.error(error));
  });
  return new Promise((resolve) => {
    server.listen(port, () => resolve((server.address() as AddressInfo).port));
  });
}
