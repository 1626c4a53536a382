/**
 * `toNodeListener()`: a handler of web requests on `node:http`.
 */

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { type RequestHandler, toNodeListener } from "@raft/snapshots/node";
import { until } from "../support/store_fixture.ts";

/** Serves with the handler while `use` runs. */
async function withServer(
  handler: RequestHandler,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(toNodeListener(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A body that gives chunks without end; tells of its cancel. */
function endless() {
  let isCancelled = false;
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(64 * 1024));
    },
    cancel: () => void (isCancelled = true),
  }, { highWaterMark: 0 });
  return { body, isCancelled: () => isCancelled, pulls: () => pulls };
}

describe("a listener of a handler", () => {
  it("passes on the request, and the answer with its headers", async () => {
    const handler: RequestHandler = (request) =>
      Promise.resolve(
        new Response(`${request.method} ${request.url}`, {
          status: 206,
          headers: { "x-name": request.headers.get("x-name") ?? "" },
        }),
      );
    await withServer(handler, async (port) => {
      const url = `http://127.0.0.1:${port}/a?b=c`;
      const response = await fetch(url, { headers: { "x-name": "value" } });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get("x-name"), "value");
      assert.equal(await response.text(), `GET ${url}`);
    });
  });

  it("keeps the length of a body that is a stream", async () => {
    const handler: RequestHandler = () =>
      Promise.resolve(
        new Response(new Blob(["whole"]).stream(), {
          headers: { "content-length": "5" },
        }),
      );
    await withServer(handler, async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(response.headers.get("content-length"), "5");
      assert.equal(await response.text(), "whole");
    });
  });

  it("cancels the body and aborts the signal when the client leaves", async () => {
    const { body, isCancelled } = endless();
    let signal: AbortSignal | undefined;
    const handler: RequestHandler = (request) => {
      signal = request.signal;
      return Promise.resolve(new Response(body));
    };
    await withServer(handler, async (port) => {
      const client = connect(port, "127.0.0.1");
      client.on("error", () => {});
      client.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await new Promise((resolve) => client.once("data", resolve));
      client.destroy();
      await until(() => isCancelled(), "the body is cancelled");
      assert.equal(signal?.aborted, true);
    });
  });

  it("reads no further ahead than the client takes", async () => {
    const { body, pulls } = endless();
    const handler: RequestHandler = () => Promise.resolve(new Response(body));
    await withServer(handler, async (port) => {
      const client = connect(port, "127.0.0.1");
      client.on("error", () => {});
      client.pause();
      client.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      let before = -1;
      // Until it comes to rest: a server that does not wait never would.
      for (let same = 0; same < 200; same++) {
        if (pulls() !== before) same = 0;
        before = pulls();
        assert.ok(before < 1000, "it does not stop");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      client.destroy();
    });
  });

  it("cuts an answer off whose body fails", async () => {
    let count = 0;
    const handler: RequestHandler = () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            pull(controller) {
              if (count++ === 1) throw new Error("the disk is gone");
              controller.enqueue(new Uint8Array(10));
            },
          }),
        ),
      );
    await withServer(handler, async (port) => {
      const get = async () => {
        const response = await fetch(`http://127.0.0.1:${port}/`);
        return await response.arrayBuffer();
      };
      await assert.rejects(get);
    });
  });

  it("cuts the connection of a client that takes nothing, when the body fails", async () => {
    let fail: (error: Error) => void = () => {};
    let signal: AbortSignal | undefined;
    const handler: RequestHandler = (request) => {
      signal = request.signal;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void (fail = (error) => controller.error(error)),
        pull: (controller) => controller.enqueue(new Uint8Array(1 << 24)),
      }, { highWaterMark: 0 });
      return Promise.resolve(new Response(body));
    };
    await withServer(handler, async (port) => {
      const client = connect(port, "127.0.0.1");
      client.on("error", () => {});
      client.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await new Promise((resolve) => client.once("data", resolve));
      client.pause();
      // As the clock of a handler does.
      fail(new Error("the reader has taken nothing"));
      await until(() => signal?.aborted === true, "the connection is cut");
      client.destroy();
    });
  });

  it("sets each of several cookies", async () => {
    const headers: [string, string][] = [
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ];
    const handler: RequestHandler = () =>
      Promise.resolve(new Response(null, { headers }));
    await withServer(handler, async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    });
  });

  it("cuts the connection when the handler fails", async () => {
    const handler: RequestHandler = () => Promise.reject(new Error("no"));
    await withServer(handler, async (port) => {
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    });
  });

  it("answers 400 to a request that the Request class refuses", async () => {
    const handler: RequestHandler = () => Promise.reject(new Error("no"));
    await withServer(handler, async (port) => {
      const options = { port, host: "127.0.0.1", headers: { host: "a b" } };
      const response = await new Promise<import("node:http").IncomingMessage>(
        (resolve, reject) =>
          request(options, resolve).on("error", reject).end(),
      );
      assert.equal(response.statusCode, 400);
      assert.equal(await text(response), "");
    });
  });
});
