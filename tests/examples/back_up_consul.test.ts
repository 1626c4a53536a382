import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { listed } from "../support/listed.ts";
import { runtime, type ScriptResult } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = new URL("../../examples/back_up_consul.ts", import.meta.url);

/** An archive as Go wrote it. */
async function golden(name: string): Promise<Uint8Array> {
  return await readFile(
    new URL(`../fixtures/archives/${name}.snap`, import.meta.url),
  );
}

/** Backs up a server that answers so. */
async function backUp(
  directory: string,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  retain = "7",
  path = "/v1/snapshot",
): Promise<ScriptResult> {
  const server = createServer((request, response) => {
    assert.equal(request.url, path);
    answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;
  try {
    return await runtime.runScript(script, [directory, url, retain]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("the example of backing up Consul", () => {
  it("keeps the newest snapshots that the server sends", async () => {
    const directory = await temporaryDirectory();
    const indices: bigint[] = [];
    for (const name of ["consul", "consul", "largest_integers"]) {
      const archive = await golden(name);
      const { code, stdout, stderr } = await backUp(
        directory,
        (response) => response.end(archive),
        "2",
      );
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^backed up index \d+ as \S+: 13 bytes\n$/);
      indices.push((await listed(directory))[0]?.index ?? 0n);
    }
    assert.deepEqual(indices, [10n, 10n, 2n ** 64n - 1n]);
    assert.equal((await listed(directory)).length, 2);
  });

  it("backs up Vault, and names the seal that it could not check", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("vault");
    const { code, stderr } = await backUp(
      directory,
      (response) => response.end(archive),
    );
    assert.equal(code, 0);
    assert.match(stderr, /cannot check SHA256SUMS\.sealed/);
  });

  it("asks a server that would compress again not to, as Consul does", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("consul");
    const asked: unknown[] = [];
    const { code, stderr } = await backUp(directory, (response, request) => {
      const encoding = request.headers["accept-encoding"];
      asked.push(encoding);
      if (!String(encoding).includes("gzip")) return response.end(archive);
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(archive));
    });
    assert.deepEqual([code, stderr, asked], [0, "", ["identity"]]);
    assert.deepEqual((await listed(directory)).map(({ size }) => size), [13]);
  });

  it("sends the token also to a URL with a slash at its end", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("consul");
    const tokens: unknown[] = [];
    const before = process.env.CONSUL_HTTP_TOKEN;
    process.env.CONSUL_HTTP_TOKEN = "secret";
    try {
      const { code } = await backUp(
        directory,
        (response, request) => {
          tokens.push(request.headers["x-consul-token"]);
          response.end(archive);
        },
        "7",
        "/v1/snapshot/",
      );
      assert.deepEqual([code, tokens], [0, ["secret"]]);
    } finally {
      if (before === undefined) delete process.env.CONSUL_HTTP_TOKEN;
      else process.env.CONSUL_HTTP_TOKEN = before;
    }
  });

  it("shows the beginning of a server's error", async () => {
    const directory = await temporaryDirectory();
    const { code, stderr } = await backUp(directory, (response) => {
      response.writeHead(403).end("no token\u001b[31m\n" + "x".repeat(99_999));
    });
    assert.equal(code, 1);
    assert.match(stderr, /answered 403: no token\\u001b\[31m\\u000ax+\n$/);
    assert.ok(stderr.length < 400, stderr);
  });

  it("reports why it could not connect", async () => {
    const directory = await temporaryDirectory();
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    // From now on the port is not in use.
    await new Promise((resolve) => server.close(resolve));
    const url = `http://127.0.0.1:${port}/v1/snapshot`;
    const { code, stderr } = await runtime.runScript(script, [directory, url]);
    assert.equal(code, 1);
    assert.match(stderr, /^no backup: .*(refused|Unable to connect|typo)/i);
  });

  it("keeps nothing of a response that breaks off", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("whole_blocks");
    const half = archive.subarray(0, archive.length / 2);
    const answers: readonly ((response: ServerResponse) => void)[] = [
      // The connection is lost.
      (response) => {
        response.setHeader("content-length", archive.length);
        response.write(half, () => response.destroy());
      },
      // The response looks good, but bytes are missing.
      (response) => response.end(half),
      (response) => response.end(),
      // No archive at all.
      (response) => response.writeHead(403).end("no token"),
      (response) => response.end("<html>welcome to the proxy</html>"),
    ];
    for (const [i, answer] of answers.entries()) {
      const { code, stdout, stderr } = await backUp(directory, answer);
      assert.deepEqual([code, stdout], [1, ""], `answer ${i}`);
      assert.match(stderr, /^no backup: \S.*\n$/, `answer ${i}`);
      assert.deepEqual(await listed(directory), []);
    }
  });
});
