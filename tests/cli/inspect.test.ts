import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

describe("raft-snapshots inspect", () => {
  it("shows all metadata of a snapshot", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["123456789", "newer"]);
    const { code, stdout, stderr } = await raftSnapshots([
      "inspect",
      directory,
      id,
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n")
      .filter((line) => !line.startsWith("Taken"));
    assert.deepEqual(lines.map((line) => line.split(/ {2,}/)), [
      ["ID", id],
      ["Term", "3"],
      ["Index", "10"],
      ["Size", "9 B"],
      ["CRC-64", "995dc9bbdf1939fa"],
      ["Version", "1"],
      ["Path", join(directory, "snapshots", id)],
      ["Configuration", "of index 2"],
      ["Servers", "1"],
      ["", "voter", "a", "10.0.0.1:7000"],
    ]);
  });

  it("shows the newest by default, as an object with --json", async (t) => {
    const directory = await temporaryDirectory(t);
    const [, newer] = await makeStore(directory, ["a", "b"]);
    const { code, stdout } = await raftSnapshots([
      "inspect",
      directory,
      "--json",
    ]);
    assert.equal(code, 0);
    const { id, size } = JSON.parse(stdout);
    assert.deepEqual([id, size], [newer, 1]);
  });

  it("names the damage of the metadata and exits with 1", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    await writeFile(join(directory, "snapshots", id, "meta.json"), "{");
    const { code, stdout, stderr } = await raftSnapshots([
      "inspect",
      directory,
      id,
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^raft-snapshots: Cannot trust meta\.json .*\n$/);
  });
});
