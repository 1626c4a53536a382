/**
 * Real connections that are cut, between a store and a real server.
 */

import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { it } from "node:test";
import { crc64 } from "@raft/snapshots/crc64";
import { isRealServer, makeBucket } from "../support/s3/bucket.ts";
import { bytes } from "../support/random.ts";
import { INIT } from "../support/store_fixture.ts";

const MiB = 1024 * 1024;
const skip = isRealServer ? false : "there is no real server";

/** Cuts each connection after so many bytes one way. */
class CuttingProxy {
  readonly #target: URL;
  readonly #server = createServer((socket) => this.#serve(socket));
  /** Bytes that may pass, by direction; they differ from cut to cut. */
  limit: { up: number; down: number } = { up: Infinity, down: Infinity };
  cuts = 0;
  readonly #sockets = new Set<Socket>();

  constructor(endpoint: string) {
    this.#target = new URL(endpoint);
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) =>
      this.#server.listen(0, "127.0.0.1", resolve)
    );
    const { port } = this.#server.address() as { port: number };
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    // Those that are kept alive would keep it waiting.
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const { hostname, port } = this.#target;
    const server = connect(Number(port), hostname);
    this.#sockets.add(client).add(server);
    let isCut = false;
    const cut = () => {
      if (isCut) return;
      isCut = true;
      this.cuts++;
      client.destroy();
      server.destroy();
    };
    const pass = (from: Socket, to: Socket, way: "up" | "down") => {
      let passed = 0;
      from.on("data", (chunk) => {
        const limit = this.limit[way];
        const room = limit - passed;
        passed += chunk.length;
        const part = chunk.subarray(0, Math.max(room, 0));
        if (!to.write(part)) from.pause();
        if (passed > limit) to.write("", cut);
      });
      to.on("drain", () => from.resume());
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    };
    pass(client, server, "up");
    pass(server, client, "down");
  }
}

it(
  "a state passes both ways over connections that are cut 48 times",
  { skip },
  async () => {
    const bucket = makeBucket();
    const proxy = new CuttingProxy(bucket.endpoint);
    const endpoint = await proxy.listen();
    const store = await bucket.open({
      endpoint,
      tuning: { partSize: 5 * MiB, retry: { pauseMs: 1, pauseMsMax: 20 } },
    });
    // A connection that is kept takes several parts, and is cut in the second.
    proxy.limit = { up: 7 * MiB, down: Infinity };
    const state = bytes(100 * MiB, 1);
    const { id } = await store.save(INIT, state);
    const cutsUp = proxy.cuts;
    proxy.limit = { up: Infinity, down: 2 * MiB };
    const source = await store.open(id);
    const read = new Uint8Array(await new Response(source).arrayBuffer());
    assert.equal(crc64(read), crc64(state));
    assert.ok(proxy.cuts - cutsUp >= 48, `${proxy.cuts - cutsUp} cuts down`);
    await store.close();
    await proxy.close();
  },
);
