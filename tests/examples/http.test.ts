import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, snapshotNames } from "../cli/raft_snapshots.ts";

const serve = new URL("../../examples/http_serve.ts", import.meta.url);
const receive = new URL("../../examples/http_receive.ts", import.meta.url);

/** Starts a server on a free port, calls `use` with its address, ends it. */
async function withServer(
  script: URL,
  directory: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const child = runtime.spawnScript(script, [directory, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
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
  it("take a snapshot from one store to another", async (t) => {
    const [from, to] = [
      await temporaryDirectory(t),
      await temporaryDirectory(t),
    ];
    const state = bytes(3 * 1024 * 1024 + 1, 4);
    await makeStore(from, ["older", state]);
    await withServer(
      serve,
      from,
      (source) =>
        withServer(receive, to, async (target) => {
          const response = await fetch(source);
          assert.equal(response.status, 200);
          assert.equal(
            response.headers.get("raft-size"),
            `${state.length}`,
          );
          // The names that HTTP itself has a use for are not passed on.
          const headers = [...response.headers]
            .filter(([name]) => name.startsWith("raft-"));
          const body = await response.arrayBuffer();
          const answer = await fetch(target, { method: "PUT", headers, body });
          const text = await answer.text();
          assert.equal(answer.status, 201, text);
          const id = text.trim();
          const path = join(to, "snapshots", id, "state.bin");
          assert.deepEqual(new Uint8Array(await readFile(path)), state);
        }),
    );
    const [sent] = await list(from);
    const [received] = await list(to);
    assert.ok(sent !== undefined);
    const { id, createdAt } = sent;
    assert.deepEqual({ ...received, id, createdAt }, { ...sent });
  });

  it("cancel a snapshot that is too short", async (t) => {
    const directory = await temporaryDirectory(t);
    await withServer(receive, directory, async (url) => {
      const answer = await fetch(url, {
        method: "PUT",
        headers: { "raft-index": "10", "raft-term": "3", "raft-size": "100" },
        body: new Uint8Array(99),
      });
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /found 99 bytes, expected 100/);
      assert.deepEqual(await snapshotNames(directory), []);
    });
  });

  it("answer 404 while the store is empty", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, []);
    await withServer(serve, directory, async (url) => {
      const answer = await fetch(url);
      assert.equal(answer.status, 404);
      await answer.body?.cancel();
    });
  });
});

async function list(directory: string) {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  try {
    return await store.list();
  } finally {
    await store.close();
  }
}
