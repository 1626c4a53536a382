import assert from "node:assert/strict";
import { once } from "node:events";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  endBySignal,
  makeStore,
  raftSnapshots,
  startRaftSnapshots,
} from "./raft_snapshots.ts";

describe("raft-snapshots cat", () => {
  it("writes the state to stdout, byte for byte", async (t) => {
    const directory = await temporaryDirectory(t);
    const state = bytes(3 * 1024 * 1024, 2);
    await makeStore(directory, [state]);
    const child = startRaftSnapshots(["cat", directory]);
    assert.ok(child.stdout && child.stderr);
    const [output, complaints, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    assert.deepEqual([code, complaints], [0, ""]);
    assert.deepEqual(new Uint8Array(output), state);
  });

  it("writes the newest snapshot by default, or the one that is named", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = ""] = await makeStore(directory, ["old", "new"]);
    const newest = await raftSnapshots(["cat", directory]);
    const named = await raftSnapshots(["cat", directory, older]);
    assert.deepEqual([newest.code, newest.stdout], [0, "new"]);
    assert.deepEqual([named.code, named.stdout], [0, "old"]);
  });

  it("does not fall back to an older snapshot when the newest is corrupt", async (t) => {
    const directory = await temporaryDirectory(t);
    const [, newest = ""] = await makeStore(directory, ["old", "new"]);
    await writeFile(join(directory, "snapshots", newest, "meta.json"), "{");
    for (const command of ["cat", "inspect"]) {
      const result = await raftSnapshots([command, directory]);
      assert.deepEqual([result.code, result.stdout], [1, ""]);
      assert.match(result.stderr, new RegExp(`Cannot trust .* ${newest}`));
    }
  });

  it("ends quietly when its reader closes the pipe", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, [new Uint8Array(3 * 1024 * 1024)]);
    const child = startRaftSnapshots(["cat", directory]);
    assert.ok(child.stdout && child.stderr);
    const { stdout, stderr } = child;
    stdout.once("data", () => stdout.destroy());
    const [complaints, [code]] = await Promise.all([
      text(stderr),
      once(child, "exit"),
    ]);
    // 128 + SIGPIPE, as of the system's own tools.
    assert.deepEqual([code, complaints], [141, ""]);
  });

  it("can be interrupted while its output is not read", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, [new Uint8Array(3 * 1024 * 1024)]);
    const child = startRaftSnapshots(["cat", directory]);
    assert.ok(child.stdout);
    // The first bytes are here; the pipe is full before the last of them is.
    await once(child.stdout, "readable");
    const { signal } = await endBySignal(child, "SIGTERM");
    assert.equal(signal, "SIGTERM");
    child.stdout.destroy();
  });

  it("never writes a whole state for a corrupt snapshot", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["the state"]);
    const file = await open(
      join(directory, "snapshots", id, "state.bin"),
      "r+",
    );
    await file.write(new Uint8Array([0]), 0, 1, 4);
    await file.close();
    const { code, stdout, stderr } = await raftSnapshots(["cat", directory]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^raft-snapshots: Cannot trust .*\n$/);
  });

  it("says that there is no snapshot", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, []);
    const newest = await raftSnapshots(["cat", directory]);
    assert.equal(newest.code, 1);
    assert.match(
      newest.stderr,
      /^raft-snapshots: There is no snapshot .*\n$/,
    );
    const named = await raftSnapshots(["cat", directory, "1-2-3"]);
    assert.equal(named.code, 1);
    assert.match(named.stderr, /^raft-snapshots: .*1-2-3.*\n$/);
  });
});
