import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, snapshotNames } from "../cli/raft_snapshots.ts";

const serve = new URL("../../examples/http_serve.ts", import.meta.url);
const receive = new URL("../../examples/http_receive.ts", import.meta.url);

const env = { ...process.env, TOKEN: "c2VjcmV0" };

/** Serves on a free port, calls `use` with the address, and ends the server. */
async function withServer(
  directory: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const child = runtime.spawnScript(serve, [directory, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  const ended = once(child, "exit");
  try {
    await use(await addressOf(child));
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = /http:\/\/\S+/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error("The server ended before it listened");
}

describe("the examples of HTTP", () => {
  it("take the newest snapshot from one node to another, once", async (t) => {
    const [from, to] = [
      await temporaryDirectory(t),
      await temporaryDirectory(t),
    ];
    const state = bytes(3 * 1024 * 1024 + 1, 4);
    await makeStore(from, ["older", state]);
    await withServer(from, async (url) => {
      const first = await runtime.runScript(receive, [url, to], { env });
      assert.equal(first.code, 0, first.stderr);
      const id = first.stdout.trim();
      const path = join(to, "snapshots", id, "state.bin");
      assert.deepEqual(new Uint8Array(await readFile(path)), state);
      const again = await runtime.runScript(receive, [url, to], { env });
      assert.equal(again.stdout.trim(), id);
      assert.deepEqual(await snapshotNames(to), [id]);
    });
  });

  it("let in only who knows the token", async (t) => {
    const [from, to] = [
      await temporaryDirectory(t),
      await temporaryDirectory(t),
    ];
    await makeStore(from, ["state"]);
    await withServer(from, async (url) => {
      const wrong = { ...env, TOKEN: "d3Jvbmc" };
      const { code, stderr } = await runtime.runScript(receive, [url, to], {
        env: wrong,
      });
      assert.notEqual(code, 0);
      assert.match(stderr, /401/);
      assert.deepEqual(await snapshotNames(to), []);
    });
    const { TOKEN: _, ...none } = env;
    const options = { env: none };
    const { code, stderr } = await runtime.runScript(
      serve,
      [from, "0"],
      options,
    );
    assert.notEqual(code, 0);
    assert.match(stderr, /token/);
  });

  it("say so while there is no snapshot", async (t) => {
    const [from, to] = [
      await temporaryDirectory(t),
      await temporaryDirectory(t),
    ];
    await makeStore(from, []);
    await withServer(from, async (url) => {
      const { stdout } = await runtime.runScript(receive, [url, to], { env });
      assert.equal(stdout.trim(), "there is no snapshot yet");
    });
  });
});
