/**
 * `serve` and `copy`: snapshots from one machine's store to another's.
 */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

const script = new URL("../../src/cli/main.ts", import.meta.url);
const TOKEN = "c2VjcmV0";
const withToken = { ...process.env, RAFT_SNAPSHOTS_TOKEN: TOKEN };
const { RAFT_SNAPSHOTS_TOKEN: _, ...withoutToken } = withToken;

const tlsFile = (name: string) =>
  fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

/** Serves on a free port while `use` runs with the address. */
async function withServer(
  args: readonly string[],
  use: (url: string, server: ChildProcess) => Promise<void>,
): Promise<void> {
  const server = runtime.spawnScript(
    script,
    ["serve", ...args, "--port", "0"],
    { stdio: ["ignore", "pipe", "ignore"], env: withToken },
  );
  const ended = once(server, "exit");
  try {
    assert.ok(server.stdout);
    const lines = createInterface({ input: server.stdout });
    const [line] = await Promise.race([
      once(lines, "line"),
      ended.then(() => [""]),
    ]);
    const [url = ""] = /https?:\/\/\S+/.exec(line) ?? [];
    assert.notEqual(url, "", "it listens");
    await use(url, server);
  } finally {
    server.kill("SIGKILL");
    await ended;
  }
}

async function copy(
  args: readonly string[],
  env: NodeJS.ProcessEnv = withToken,
) {
  return await raftSnapshots(["copy", ...args], "", { env });
}

describe("raft-snapshots serve", () => {
  it("hands snapshots to copy, which prints the ID of the copy", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    const state = bytes(3_000_000, 1);
    const [older = ""] = await makeStore(from, ["older", state]);
    await withServer([from], async (url) => {
      const newest = await copy([url, to]);
      assert.equal(newest.code, 0, newest.stderr);
      const id = newest.stdout.trim();
      const path = join(to, "snapshots", id, "state.bin");
      assert.deepEqual(new Uint8Array(await readFile(path)), state);
      const again = await copy([url, to, "--if-missing"]);
      assert.equal(again.stdout, newest.stdout);
      const named = await copy([url, to, older, "--json"]);
      assert.equal(JSON.parse(named.stdout).size, 5);
      assert.equal((await snapshotNames(to)).length, 2);
    });
  });

  it("takes its token from a file, as copy does", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["state"]);
    const file = join(await temporaryDirectory(), "token");
    await writeFile(file, "YW5vdGhlcg\n");
    await withServer([from, "--token-file", file], async (url) => {
      const wrong = await copy([url, join(to, "none")]);
      assert.equal(wrong.code, 3);
      assert.match(wrong.stderr, /401; .*--token-file/);
      assert.doesNotMatch(wrong.stderr, new RegExp(TOKEN));
      const right = await copy([url, to, "--token-file", file], withoutToken);
      assert.equal(right.code, 0, right.stderr);
      assert.equal((await snapshotNames(to)).length, 1);
    });
  });

  it("refuses to start without a token, or where others could read it", async () => {
    const from = await temporaryDirectory();
    await makeStore(from, ["state"]);
    const empty = join(from, "empty");
    await writeFile(empty, "\n");
    const bad = join(from, "bad");
    await writeFile(bad, "a b");
    const cases = [
      [[], withoutToken, /without a token.*RAFT_SNAPSHOTS_TOKEN/],
      [[], { ...withoutToken, RAFT_SNAPSHOTS_TOKEN: "" }, /without a token/],
      [["--token-file", empty], withToken, /found 0 characters/],
      [["--token-file", join(from, "none")], withToken, /no such file/],
      [
        ["--token-file", bad],
        withToken,
        /Cannot use the token: .* expected letters, digits and/,
      ],
      [["--host", "0.0.0.0"], withToken, /without TLS.*--insecure-http/],
      [["--host", "::"], withToken, /without TLS/],
      [["--tls-cert", tlsFile("cert")], withToken, /belong together/],
      [["--port", "65536"], withToken, /0 to 65535/],
    ] as const;
    for (const [args, env, message] of cases) {
      const options = { env };
      const { code, stderr } = await raftSnapshots(
        ["serve", from, ...args],
        "",
        options,
      );
      assert.equal(code, 2, `${args} ${stderr}`);
      assert.match(stderr, message);
    }
  });

  it("listens on other addresses with TLS", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["state"]);
    const args = [from, "--host", "0.0.0.0"];
    args.push("--tls-cert", tlsFile("cert"), "--tls-key", tlsFile("key"));
    await withServer(args, async (url) => {
      assert.match(url, /^https:/);
      const trusting = {
        ...withToken,
        NODE_EXTRA_CA_CERTS: tlsFile("ca"),
        DENO_CERT: tlsFile("ca"),
      };
      const address = url.replace("0.0.0.0", "localhost");
      const { code, stderr } = await copy([address, to], trusting);
      assert.equal(code, 0, stderr);
      assert.equal((await snapshotNames(to)).length, 1);
    });
  });

  it("listens on other addresses without TLS only when told so", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["state"]);
    const args = [from, "--host", "0.0.0.0", "--insecure-http"];
    await withServer(args, async (url) => {
      const address = url.replace("0.0.0.0", "127.0.0.1");
      const { code, stderr } = await copy([address, to]);
      assert.equal(code, 0, stderr);
    });
  });

  it("lets transfers end when it is asked to stop, and takes no more", async () => {
    const from = await temporaryDirectory();
    // More than sockets hold, so that it is under way until it is read.
    const state = bytes(40_000_000, 2);
    const [id] = await makeStore(from, [state]);
    await withServer([from], async (url, server) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const response = await fetch(`${url}/snapshots/${id}`, { headers });
      const ended = once(server, "exit");
      process.kill(server.pid ?? NaN, "SIGTERM");
      // It no longer answers anything else.
      for (;;) {
        const other = await fetch(`${url}/snapshots`, { headers }).catch(() =>
          undefined
        );
        await other?.body?.cancel();
        if (other === undefined || other.status === 503) break;
      }
      const body = new Uint8Array(await response.arrayBuffer());
      assert.ok(body.every((byte, i) => byte === state[i]));
      assert.equal(body.length, state.length);
      assert.deepEqual(await ended, [0, null]);
    });
  });

  it("says why it can't listen", async () => {
    const from = await temporaryDirectory();
    await makeStore(from, ["state"]);
    await withServer([from], async (url) => {
      const port = new URL(url).port;
      const { code, stderr } = await raftSnapshots(
        ["serve", from, "--port", port],
        "",
        { env: withToken },
      );
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`Cannot listen on 127.0.0.1, port ${port}`),
      );
    });
  });

  it("serves an existing store only", async () => {
    const from = await temporaryDirectory();
    const { code } = await raftSnapshots(["serve", from], "", {
      env: withToken,
    });
    assert.equal(code, 1);
  });
});

describe("raft-snapshots copy", () => {
  it("copies from another directory", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["older", "newest"]);
    const { code, stdout, stderr } = await copy([from, to]);
    assert.deepEqual([code, stderr], [0, ""]);
    const path = join(to, "snapshots", stdout.trim(), "state.bin");
    assert.equal(await readFile(path, "utf8"), "newest");
  });

  it("copies again, unless it is told --if-missing", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["state"]);
    const first = (await copy([from, to, "--if-missing"])).stdout;
    assert.equal((await copy([from, to, "--if-missing"])).stdout, first);
    assert.notEqual((await copy([from, to])).stdout, first);
    assert.equal((await snapshotNames(to)).length, 2);
  });

  it("refuses a state that is larger than --max-size, and leaves nothing", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, ["state"]);
    const target = join(to, "new");
    const { code, stderr } = await copy([from, target, "--max-size", "4"]);
    assert.equal(code, 1);
    assert.match(stderr, /found a state of 5 bytes, expected at most 4/);
    await assert.rejects(snapshotNames(target));
  });

  it("fails where there is nothing to copy", async () => {
    const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
    await makeStore(from, []);
    const none = await copy([from, to]);
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /There is no snapshot in /);
    const address = await copy(["http://user:secret@localhost/", to]);
    assert.equal(address.code, 2);
    assert.doesNotMatch(address.stderr, /secret/);
  });
});
