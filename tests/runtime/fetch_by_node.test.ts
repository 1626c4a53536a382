/**
 * Requests by `node:http`, to a server of Node.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
} from "node:net";
import { afterEach, describe, it } from "node:test";
import { defaultFetch } from "../../src/runtime/default_fetch.ts";
import {
  fetchByNode,
  makeReadingAgent,
  withOwnBuffer,
} from "../../src/runtime/fetch_by_node.ts";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import {
  decode,
  encode,
  letOthersWork,
  until,
} from "../support/store_fixture.ts";

const MIB = 1024 ** 2;

/** The others have their own `fetch`, and their `node:http` can't read so. */
const onNode = { skip: runtime.name !== "node" };

/** Ends the servers of a test. */
const endings: (() => Promise<void>)[] = [];

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

/** Starts a server; `connections` has each connection that was made to it. */
async function serve(answer: Answer) {
  const connections: Socket[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  server.on("connection", (socket) => connections.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  endings.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${port}/`, port, connections };
}

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

describe("a request by node:http", () => {
  it("gives status, headers and body", onNode, async () => {
    const { url } = await serve((request, response) => {
      response.setHeader("x-given", request.headers["x-asked"] ?? "");
      response.setHeader("x-many", ["one", "two"]);
      response.statusCode = 206;
      response.end("state");
    });
    const headers = { "X-Asked": "yes" };
    const response = await fetchByNode(url, { headers });
    assert.equal(response.status, 206);
    assert.equal(response.headers.get("x-given"), "yes");
    assert.equal(response.headers.get("x-many"), "one, two");
    assert.equal(await response.text(), "state");
  });

  it(
    "sends a method and the bytes of a body, with their length",
    onNode,
    async () => {
      const { url } = await serve(async (request, response) => {
        let text = "";
        for await (const chunk of request) text += decode(chunk);
        const { method, headers } = request;
        response.end([method, headers["content-length"], text].join(" "));
      });
      const put = { method: "PUT", body: encode("bytes") };
      assert.equal(await (await fetchByNode(url, put)).text(), "PUT 5 bytes");
      const empty = { method: "PUT", body: new Uint8Array() };
      assert.equal(await (await fetchByNode(url, empty)).text(), "PUT 0 ");
    },
  );

  it("gives an answer that has no body", onNode, async () => {
    const { url, connections } = await serve((_request, response) => {
      response.statusCode = 304;
      response.end();
    });
    for (let i = 0; i < 2; i++) {
      const response = await fetchByNode(url, {});
      assert.equal(response.status, 304);
      assert.equal(response.body, null);
    }
    assert.equal(connections.length, 1);
  });

  it(
    "keeps every chunk as it came, although a socket has one buffer",
    onNode,
    async () => {
      const state = bytes(5 * MIB, 1);
      const { url } = await serve((_request, response) => {
        response.end(state);
      });
      const { body } = await fetchByNode(url, {});
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of body ?? []) chunks.push(chunk);
      assert.ok(chunks.length > 1);
      assert.deepEqual(
        new Uint8Array(await new Blob(chunks).arrayBuffer()),
        state,
      );
    },
  );

  it("copies a chunk whose buffer has other bytes, too", () => {
    const shared = Buffer.from("a state and more").subarray(2, 7);
    const own = withOwnBuffer(shared);
    assert.equal(decode(own), "state");
    assert.equal(own.buffer.byteLength, own.length);
    assert.equal(withOwnBuffer(own), own);
  });

  it("reads no more than the reader takes", onNode, async () => {
    const { url, connections } = await serve((_request, response) => {
      response.end(new Uint8Array(64 * MIB));
    });
    const { body } = await fetchByNode(url, {});
    const reader = body?.getReader();
    await reader?.read();
    const sent = () => connections[0]?.bytesWritten ?? 0;
    let [last, turns] = [-1, 0];
    await until(() => {
      turns = sent() === last ? turns + 1 : 0;
      last = sent();
      return turns === 500;
    }, "full buffers");
    const { writableLength = 0 } = connections[0] ?? {};
    assert.ok(writableLength > 32 * MIB, `${writableLength} bytes wait`);
    await reader?.cancel();
    await until(() => connections[0]?.destroyed === true, "the end");
  });

  it("fails when the body ends too early", onNode, async () => {
    const { url } = await serve((_request, response) => {
      response.setHeader("content-length", 100);
      response.write("state");
      setTimeout(() => response.destroy(), 20);
    });
    const response = await fetchByNode(url, {});
    await assert.rejects(response.text(), { code: "ECONNRESET" });
  });

  it(
    "ends when its signal aborts, before the answer and after it",
    onNode,
    async () => {
      const { url, connections } = await serve((request, response) => {
        if (request.url === "/answered") response.write("state");
      });
      const reason = new Error("enough");
      const first = new AbortController();
      const waiting = fetchByNode(url, { signal: first.signal });
      await until(() => connections.length === 1, "a connection");
      first.abort(reason);
      await assert.rejects(waiting, reason);
      const second = new AbortController();
      const { signal } = second;
      const response = await fetchByNode(`${url}answered`, { signal });
      second.abort(reason);
      await assert.rejects(response.text(), reason);
      await until(() => connections.every((each) => each.destroyed), "ends");
    },
  );

  it("fails when the server changes to another protocol", onNode, async () => {
    const { url } = await serve(({ socket }) => {
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\n" +
          "connection: upgrade\r\nupgrade: other\r\n\r\n",
      );
    });
    await assert.rejects(fetchByNode(url, {}), /connection was closed/);
  });

  it(
    "survives a server that refuses a body before it has all of it",
    onNode,
    async () => {
      for (const isCut of [true, false]) {
        const connections: Socket[] = [];
        const server = createTcpServer((socket) => {
          connections.push(socket);
          socket.on("error", () => {});
          socket.once("data", () => {
            socket.pause();
            const refusal = "HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno";
            socket.write(refusal, () => isCut && socket.destroy());
          });
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        const init = { method: "PUT", body: new Uint8Array(8 * MIB) };
        const response = await fetchByNode(`http://127.0.0.1:${port}/`, init);
        assert.equal(response.status, 403);
        assert.equal(await response.text(), "no");
        await letOthersWork(100);
        connections[0]?.resume();
        await until(() => connections[0]?.destroyed === true, "the end");
        server.close();
        await once(server, "close");
      }
    },
  );

  it(
    "asks again when a connection was closed before its answer",
    onNode,
    async () => {
      let count = 0;
      const { url, connections } = await serve((request, response) => {
        if (++count === 2) request.socket.destroy();
        else response.end(request.method);
      });
      assert.equal(await (await fetchByNode(url, {})).text(), "GET");
      assert.equal(await (await fetchByNode(url, {})).text(), "GET");
      assert.equal(connections.length, 2);
      count = 1;
      const put = { method: "PUT", body: encode("bytes") };
      await assert.rejects(fetchByNode(url, put), { code: "ECONNRESET" });
    },
  );

  it("uses a connection again", onNode, async () => {
    const { url, connections } = await serve((_request, response) => {
      response.end("state");
    });
    for (let i = 0; i < 3; i++) {
      assert.equal(await (await fetchByNode(url, {})).text(), "state");
    }
    assert.equal(connections.length, 1);
  });

  it("loses no byte that comes before it is asked for", onNode, async () => {
    const sent = ["first", "second", "third"];
    const { port, connections } = await serve(() => {});
    const agent = makeReadingAgent(Agent, "connect");
    const options = { host: "127.0.0.1", port };
    const socket = agent.createConnection(options, () => {});
    await until(() => connections.length === 1, "a connection");
    for (const text of sent) {
      const { length } = sent.slice(0, sent.indexOf(text)).join("");
      connections[0]?.write(text);
      socket.read(0);
      await until(() => socket.readableLength === length + text.length, text);
    }
    assert.equal(decode(socket.read()), sent.join(""));
    socket.destroy();
  });
});

describe("the default fetch", () => {
  it("makes requests by node:http", onNode, async () => {
    const { url } = await serve((request, response) => {
      response.end(request.headers["sec-fetch-mode"] ?? "without a mode");
    });
    const response = await defaultFetch(url, {});
    assert.equal(await response.text(), "without a mode");
  });

  it("is the global one when that has been replaced", async () => {
    const own = globalThis.fetch;
    globalThis.fetch = () => Promise.resolve(new Response("replaced"));
    try {
      const response = await defaultFetch("http://127.0.0.1:1/", {});
      assert.equal(await response.text(), "replaced");
    } finally {
      globalThis.fetch = own;
    }
  });
});
