/**
 * The handler in a router, on the servers that people use on each runtime.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { serve as serveOnNode } from "@hono/node-server";
import { Hono } from "hono";
import { copySnapshot, MemorySnapshotStore } from "@raft/snapshots";
import { openHttpSnapshotStore } from "@raft/snapshots/http";
import { serve as serveNatively } from "srvx";
import { bytes } from "../support/random.ts";
import { until } from "../support/store_fixture.ts";
import { Served } from "./served.ts";

interface RunningServer {
  readonly port: number;
  close(): Promise<unknown>;
}

type Start = (app: Hono) => Promise<RunningServer>;

/** On `node:http`, which Deno and Bun have, too. */
const onNodeHttp: Start = ({ fetch }) =>
  new Promise((resolve) => {
    const options = { hostname: "127.0.0.1", port: 0, fetch };
    const server = serveOnNode(
      // Its own Response is not one for the servers of Deno and Bun.
      { ...options, overrideGlobalObjects: false },
      ({ port }) => {
        const close = () =>
          new Promise((closed) => {
            server.close(closed);
            if ("closeAllConnections" in server) server.closeAllConnections();
          });
        resolve({ port, close });
      },
    );
  });

/** On `Deno.serve`, `Bun.serve` or `node:http`. */
const onTheRuntimes: Start = async ({ fetch }) => {
  const options = { hostname: "127.0.0.1", port: 0, silent: true };
  const server = serveNatively({ ...options, fetch });
  await server.ready();
  return {
    port: Number(new URL(server.url ?? "").port),
    close: () => server.close(true),
  };
};

/** More than sockets hold, so that a transfer is under way until it is read. */
const STATE = bytes(24_000_000, 1);

const servers = { "srvx": onTheRuntimes, "@hono/node-server": onNodeHttp };
for (const [name, start] of Object.entries(servers)) {
  describe(`a handler that is mounted in Hono, on ${name}`, () => {
    /** Serves a store while `use` runs. */
    const withServer = async (
      use: (served: Served, url: string) => Promise<void>,
    ) => {
      const options = { maxTransfers: 1 };
      const served = await Served.make(options, STATE, 1024 * 1024);
      const app = new Hono();
      app.all("/raft/*", ({ req }) => served.handler(req.raw));
      const { port, close } = await start(app);
      try {
        await use(served, `http://127.0.0.1:${port}/raft`);
      } finally {
        await close();
      }
    };

    it("hands its snapshots to a follower", async () => {
      await withServer(async ({ id }, url) => {
        const remote = await openHttpSnapshotStore(url);
        const local = new MemorySnapshotStore();
        const copy = await copySnapshot(remote, id, local);
        const source = await local.open(copy.id);
        const state = await new Response(source).arrayBuffer();
        assert.deepEqual(new Uint8Array(state), STATE);
        await remote.close();
      });
    });

    it("keeps the headers of a part, and of an answer to HEAD", async () => {
      await withServer(async ({ id }, url) => {
        const state = `${url}/snapshots/${id}`;
        const head = await fetch(state, { method: "HEAD" });
        assert.equal(head.headers.get("content-length"), `${STATE.length}`);
        const etag = head.headers.get("etag") ?? "";
        const headers = { range: "bytes=5-9", "if-match": etag };
        const part = await fetch(state, { headers });
        assert.equal(part.status, 206);
        assert.equal(part.headers.get("etag"), etag);
        const place = `bytes 5-9/${STATE.length}`;
        assert.equal(part.headers.get("content-range"), place);
        const body = new Uint8Array(await part.arrayBuffer());
        assert.deepEqual(body, STATE.slice(5, 10));
      });
    });

    it("frees the file of a client that leaves", async () => {
      await withServer(async ({ id, fixture }, url) => {
        const leaving = new AbortController();
        const { signal } = leaving;
        const state = `${url}/snapshots/${id}`;
        const response = await fetch(state, { signal });
        await response.body?.getReader().read();
        const busy = await fetch(state);
        assert.equal(busy.status, 503);
        await busy.body?.cancel();
        leaving.abort();
        await until(() => fixture.openHandles === 0, "the file is closed");
      });
    });
  });
}
