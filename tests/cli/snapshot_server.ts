/**
 * A server in this process that answers as Consul, Nomad or Vault, or as one of
 * them that fails.
 */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

/** Answers a request. */
export type AnswerWith = (
  response: ServerResponse,
  request: IncomingMessage,
) => void;

/** A server that runs. */
export interface SnapshotServer {
  readonly url: string;
  /** Host and port. */
  readonly host: string;
  /** Its requests, in order. */
  readonly requests: readonly IncomingMessage[];
  close(): Promise<void>;
}

/** A file with certificates or a key. */
export const tlsFile = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

/** An archive as Go wrote it. */
export async function golden(name: string): Promise<Uint8Array> {
  const url = new URL(`../fixtures/archives/${name}.snap`, import.meta.url);
  return new Uint8Array(await readFile(url));
}

/** Starts a server; with TLS it has the certificate of `localhost`. */
export async function startSnapshotServer(
  answer: AnswerWith,
  { tls = false, clientCa }: {
    readonly tls?: boolean;
    /** The authority that must have signed the client's certificate, in PEM. */
    readonly clientCa?: string;
  } = {},
): Promise<SnapshotServer> {
  const server: Server = tls
    ? createTlsServer({
      cert: await readFile(tlsFile("cert")),
      key: await readFile(tlsFile("key")),
      ...(clientCa === undefined
        ? {}
        : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    })
    : createServer();
  const requests: IncomingMessage[] = [];
  server.on("request", (request, response) => {
    requests.push(request);
    answer(response, request);
  });
  server.on("error", () => {});
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = tls ? `localhost:${port}` : `127.0.0.1:${port}`;
  return {
    host,
    url: `http${tls ? "s" : ""}://${host}`,
    requests,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Runs with a server, and stops it. */
export async function withSnapshotServer<T>(
  answer: AnswerWith,
  use: (server: SnapshotServer) => Promise<T>,
  options: Parameters<typeof startSnapshotServer>[1] = {},
): Promise<T> {
  const server = await startSnapshotServer(answer, options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}
