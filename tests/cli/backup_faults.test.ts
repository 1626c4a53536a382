/** A server's faults: no archive is ever kept that is not whole. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { openFileArchiveStore } from "@raft/snapshots/archive";
import { makeBackup } from "../../src/cli/backup/run.ts";
import { readSourceSettings } from "../../src/cli/backup/source_options.ts";
import { isFullRun } from "../support/full_run.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  type AnswerWith,
  golden,
  withSnapshotServer,
} from "./snapshot_server.ts";

/** How a vendor is asked. */
interface Asked {
  readonly vendor?: "consul" | "nomad" | "vault";
  readonly stallTimeout?: number;
  readonly stale?: boolean;
}

/** Makes a backup of a server that answers so; gives the error, if any. */
async function backUp(
  directory: string,
  answer: AnswerWith,
  { vendor = "consul", stallTimeout = 60_000, stale = false }: Asked = {},
): Promise<string | undefined> {
  return await withSnapshotServer(answer, async ({ url }) => {
    const flags = { [vendor]: url, stallTimeout, stale };
    const task = {
      source: readSourceSettings(flags),
      store: openFileArchiveStore(directory),
      policy: undefined,
    };
    const { signal } = new AbortController();
    try {
      await makeBackup(task, { signal });
      return undefined;
    } catch (error) {
      return String((error as Error).message);
    }
  });
}

/** Sends some bytes, and cuts the connection. */
function cutAfter(bytes: Uint8Array, count: number, length?: number) {
  return (response: ServerResponse) => {
    if (length !== undefined) response.setHeader("content-length", length);
    if (count === 0) response.flushHeaders();
    response.write(bytes.subarray(0, count), () => response.destroy());
  };
}

describe("a backup", () => {
  it("keeps nothing of a server that dies, at whichever byte", async () => {
    const archive = await golden("consul");
    const directory = await temporaryDirectory();
    const step = isFullRun ? 1 : 23;
    for (let count = 0; count < archive.length; count += step) {
      // As one that says how much comes, and one that does not.
      for (const length of [archive.length, undefined]) {
        const answer = cutAfter(archive, count, length);
        const message = await backUp(directory, answer);
        assert.ok(message !== undefined, `${count} bytes were taken`);
        assert.deepEqual(await readdir(directory), [], `${count} bytes`);
      }
    }
  });

  it("keeps nothing of an answer that ends early or is damaged", async () => {
    const archive = await golden("consul");
    const directory = await temporaryDirectory();
    const step = isFullRun ? 1 : 37;
    for (let at = 10; at < archive.length; at += step) {
      const short = archive.subarray(0, at);
      const flipped = new Uint8Array(archive);
      flipped[at] = (flipped[at] ?? 0) ^ 0xff;
      for (const body of [short, flipped]) {
        const message = await backUp(directory, (r) => r.end(body));
        assert.match(String(message), /archive/, `byte ${at}`);
        assert.deepEqual(await readdir(directory), [], `byte ${at}`);
      }
    }
  });

  it("names the format of an answer that is not a snapshot", async () => {
    const archive = await golden("consul");
    const directory = await temporaryDirectory();
    const longer = new Uint8Array([...archive, 1]);
    const cases: readonly [AnswerWith, RegExp][] = [
      [(r) => r.end('{"errors":["no"]}'), /JSON/],
      [(r) => r.end("<html>login</html>"), /HTML/],
      [(r) => r.end(), /no bytes/],
      [(r) => r.end(longer), /the file continues/],
      [
        (r) => r.writeHead(500).end("disk full\u001b[2J"),
        /500: disk full\\u001b/,
      ],
      [
        (r) => r.writeHead(403).end("x".repeat(9_999)),
        /403: x{200}; pass a token/,
      ],
      [(r) => r.writeHead(204).end(), /answered 204/],
      [
        (r) => {
          r.setHeader("content-encoding", "gzip");
          r.end(gzipSync(archive));
        },
        /content-encoding gzip/,
      ],
      [(r) => r.end(gzipSync(archive)), /another gzip file/],
      [
        (r) => r.setHeader("x-consul-knownleader", "false").end(archive),
        /no leader.*--stale/,
      ],
      [(r) => r.socket?.destroy(), /Cannot get a snapshot of Consul/],
    ];
    for (const [answer, message] of cases) {
      assert.match(String(await backUp(directory, answer)), message);
      assert.deepEqual(await readdir(directory), [], String(message));
    }
  });

  it("gives a server up that is silent, before the answer and within it", async () => {
    const archive = await golden("consul");
    const directory = await temporaryDirectory();
    const silences: readonly AnswerWith[] = [
      () => {},
      (response) => response.write(archive.subarray(0, 100)),
      (response) => response.writeHead(500).write("an err"),
    ];
    for (const answer of silences) {
      const message = await backUp(directory, answer, { stallTimeout: 300 });
      assert.match(String(message), /sent nothing for 0\.3 s|500: an err/);
      assert.deepEqual(await readdir(directory), []);
    }
  });

  it("follows no redirect to another host, nor one without end", async () => {
    const directory = await temporaryDirectory();
    const cases: readonly [string | undefined, RegExp][] = [
      ["http://10.0.0.1:8200/v1/snapshot", /10\.0\.0\.1:8200.*--redirect-host/],
      ["/v1/snapshot", /more than 5 times/],
      ["http://[", /not a URL/],
      [undefined, /more than 5 times/],
      ["ftp://HOST/v1/snapshot", /expected https/],
      ["http://user:secret@HOST/v1/snapshot", /without a user name/],
    ];
    for (const [location, message] of cases) {
      const found = await backUp(directory, (response, { headers }) => {
        const to = location?.replace("HOST", headers.host ?? "");
        if (to !== undefined) response.setHeader("location", to);
        response.writeHead(307).end();
      });
      assert.match(String(found), message);
      assert.doesNotMatch(String(found), /secret/);
      assert.deepEqual(await readdir(directory), []);
    }
  });

  it("of Vault is incomplete without the sealed sums", async () => {
    const directory = await temporaryDirectory();
    const [sealed, unsealed] = [await golden("vault"), await golden("consul")];
    const asked = { vendor: "vault" } as const;
    assert.match(
      String(await backUp(directory, (r) => r.end(unsealed), asked)),
      /incomplete: SHA256SUMS\.sealed is missing/,
    );
    assert.deepEqual(await readdir(directory), []);
    assert.equal(
      await backUp(directory, (r) => r.end(sealed), asked),
      undefined,
    );
    assert.equal((await readdir(directory)).length, 1);
  });

  it("of Nomad must have the digest that Nomad says", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("consul");
    const digestOf = (bytes: Uint8Array) =>
      `sha-256=${createHash("sha256").update(bytes).digest("base64")}`;
    const asked = { vendor: "nomad" } as const;
    const wrong = digestOf(archive.subarray(1));
    assert.match(
      String(
        await backUp(
          directory,
          (r) => r.setHeader("digest", wrong).end(archive),
          asked,
        ),
      ),
      /SHA-256/,
    );
    assert.deepEqual(await readdir(directory), []);
    const right = digestOf(archive);
    assert.equal(
      await backUp(
        directory,
        (r) => r.setHeader("digest", right).end(archive),
        asked,
      ),
      undefined,
    );
    assert.equal((await readdir(directory)).length, 1);
  });
});
