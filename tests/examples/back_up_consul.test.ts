import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
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
  answer: (response: ServerResponse) => void,
  retain = "7",
): Promise<ScriptResult> {
  const server = createServer((request, response) => {
    assert.equal(request.url, "/v1/snapshot");
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/snapshot`;
  try {
    return await runtime.runScript(script, [directory, url, retain]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("the example of backing up Consul", () => {
  it("keeps what the server sends, and the newest few of that", async () => {
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

  it("backs up Vault, and says what it could not check", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("vault");
    const { code, stderr } = await backUp(
      directory,
      (response) => response.end(archive),
    );
    assert.equal(code, 0);
    assert.match(stderr, /cannot check SHA256SUMS\.sealed/);
  });

  it("keeps nothing of an answer that breaks off", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("whole_blocks");
    const half = archive.subarray(0, archive.length / 2);
    const answers: readonly ((response: ServerResponse) => void)[] = [
      // The connection is lost.
      (response) => {
        response.setHeader("content-length", archive.length);
        response.write(half, () => response.destroy());
      },
      // All looks well, but for what is missing.
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
