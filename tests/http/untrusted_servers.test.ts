/**
 * openHttpSnapshotStore() and servers that must not get a token.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { StoreAccessError, type StoreEvent } from "@raft/snapshots";
import { openHttpSnapshotStore } from "@raft/snapshots/http";
import { Log } from "../support/store_fixture.ts";

const tlsFile = (name: string) =>
  readFile(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

/** Listens while `use` runs with the port. */
async function withServer(
  server: Server,
  use: (port: number) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Lists the snapshots of a server; gives the error, and how often it was tried. */
async function failureOf(url: string) {
  const events: StoreEvent[] = [];
  const remote = await openHttpSnapshotStore(url, {
    headers: { authorization: "Bearer c2VjcmV0" },
    logger: new Log(),
    retry: { budgetMs: 2_000, pauseMs: 1 },
    onEvent: (event) => void events.push(event),
  });
  const error = await remote.list().then(() => undefined, (error) => error);
  await remote.close();
  assert.ok(error instanceof StoreAccessError);
  return { message: error.message, events };
}

describe("a server whose certificate is not trusted", () => {
  it("is an error at once: another attempt would end no better", async () => {
    const tls = { cert: await tlsFile("cert"), key: await tlsFile("key") };
    const server = createTlsServer(tls, (_, outgoing) => outgoing.end());
    await withServer(server, async (port) => {
      const failed = await failureOf(`https://127.0.0.1:${port}`);
      assert.match(failed.message, /certificate.*docs\/http\.md/);
      assert.deepEqual(failed.events, []);
    });
  });
});

describe("a server that redirects", () => {
  it("does not get the token sent elsewhere", async () => {
    let count = 0;
    const other: RequestListener = (_, outgoing) => {
      count++;
      outgoing.end();
    };
    await withServer(createServer(other), async (port) => {
      const location = `http://127.0.0.1:${port}/`;
      const redirecting: RequestListener = (_, outgoing) =>
        outgoing.writeHead(307, { location }).end();
      await withServer(createServer(redirecting), async (port) => {
        const failed = await failureOf(`http://127.0.0.1:${port}`);
        assert.match(failed.message, /status 307/);
        assert.deepEqual(failed.events, []);
      });
    });
    assert.equal(count, 0);
  });
});
