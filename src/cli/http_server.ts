/** A server of HTTP or HTTPS that can be drained. */

import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { type RequestHandler, toNodeListener } from "../node/mod.ts";

/** Where and how to listen. */
export interface ListenOptions {
  /** The address or name of this machine that is listened on. */
  readonly host: string;
  /** The port; 0 is any free port. */
  readonly port: number;
  /** The certificate and its key in PEM; without them it is plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** A server that listens. */
export interface RunningServer {
  /** Its address. */
  readonly url: string;
  /** Takes no more requests; resolves once those under way are answered. */
  drain(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws {Error} the system's, when it can't listen there.
 */
export async function startServer(
  handler: RequestHandler,
  { host, port, tls }: ListenOptions,
): Promise<RunningServer> {
  const listener = toNodeListener(handler);
  let isDraining = false;
  let active = 0;
  const server: Server = tls === undefined
    ? createServer()
    : createTlsServer({ ...tls });
  const sockets = new Set<Socket>();
  const endIfIdle = () => {
    if (!isDraining || active > 0) return;
    // Idle connections are kept open for further requests; and the server does not
    // count those whose TLS handshake has not ended.
    for (const socket of sockets) socket.destroy();
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    endIfIdle();
  });
  server.on("request", (incoming, outgoing) => {
    if (isDraining) {
      const headers = { "retry-after": "1", connection: "close" };
      outgoing.writeHead(503, headers).end();
      return;
    }
    active++;
    outgoing.once("close", () => {
      active--;
      endIfIdle();
    });
    listener(incoming, outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const scheme = tls === undefined ? "http" : "https";
  const name = isIPv6(host) ? `[${host}]` : host;
  const { port: found } = server.address() as AddressInfo;
  return {
    url: `${scheme}://${name}:${found}`,
    async drain() {
      isDraining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      endIfIdle();
      await closed;
    },
  };
}
