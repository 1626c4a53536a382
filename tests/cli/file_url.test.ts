import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

describe("raft-snapshots with a file: URL as DIR", () => {
  it("reads and writes the directory that the URL names", async (t) => {
    const cwd = await temporaryDirectory(t);
    const directory = join(cwd, "a store");
    await makeStore(directory, ["older"]);
    const url = pathToFileURL(directory).href;
    const saved = await raftSnapshots(
      ["save", url, "--index", "20", "--term", "3"],
      "state",
      { cwd },
    );
    assert.deepEqual([saved.code, saved.stderr], [0, ""]);
    assert.equal((await snapshotNames(directory)).length, 2);
    const listed = await raftSnapshots(["list", url], "", { cwd });
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    assert.equal(listed.stdout.trimEnd().split("\n").length, 3);
    assert.deepEqual(await readdir(cwd), ["a store"]);
  });

  it("names the fault of a URL that does not name a directory of this machine", async (t) => {
    const cwd = await temporaryDirectory(t);
    const { code, stderr } = await raftSnapshots(
      ["list", "file://host/data"],
      "",
      { cwd },
    );
    assert.equal(code, 2);
    assert.match(stderr, /found the host host, expected/);
    assert.deepEqual(await readdir(cwd), []);
  });
});
