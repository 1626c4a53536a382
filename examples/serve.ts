/** Serves a web-standard handler on Deno, Bun and Node. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeListener } from "@raft/snapshots/node";

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
    serve(options: { port: number; idleTimeout: number; fetch: Handler }): {
      readonly port: number;
    };
  };
}

/** Starts to listen; 0 takes any free port. Resolves to the port. */
export async function serve(handler: Handler, port: number): Promise<number> {
  const { Deno, Bun } = globalThis as unknown as Servers;
  if (Deno) return Deno.serve({ port, onListen() {} }, handler).addr.port;
  // By default Bun cuts a connection after ten seconds without a byte.
  if (Bun) return Bun.serve({ port, idleTimeout: 0, fetch: handler }).port;
  const server = createServer(toNodeListener(handler));
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return (server.address() as AddressInfo).port;
}
