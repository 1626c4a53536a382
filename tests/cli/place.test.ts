/** The meaning of a path and of an ID on the command line. */

import assert from "node:assert/strict";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { archive, STATE } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await raftSnapshots(args);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd();
}

describe("a path of the command line", () => {
  it("may be the data directory of Consul or Nomad, or snapshots/", async (t) => {
    const folder = await temporaryDirectory(t);
    for (const below of [["raft"], ["server", "raft"]]) {
      const data = join(folder, below.join("-"));
      const directory = join(data, ...below);
      await makeStore(directory, ["state"]);
      for (const path of [data, directory, join(directory, "snapshots")]) {
        assert.equal(await output("cat", path), "state", path);
      }
    }
  });

  it("may be a snapshot, or one of its files", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = ""] = await makeStore(directory, ["older", "newer"]);
    const snapshot = join(directory, "snapshots", older);
    for (const path of [snapshot, join(snapshot, "state.bin")]) {
      assert.equal(await output("cat", path), "older");
      assert.match(
        await output("verify", path),
        new RegExp(`^ok +${older} .*$`),
      );
      assert.match(
        await output("inspect", path),
        new RegExp(`^ID +${older}$`, "m"),
      );
    }
    const both = await raftSnapshots(["cat", snapshot, older]);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /the path is that of the snapshot/);
  });

  it("that leads to two stores is refused", async (t) => {
    const data = await temporaryDirectory(t);
    await makeStore(join(data, "raft"), ["a"]);
    await makeStore(join(data, "server", "raft"), ["b"]);
    const { code, stderr } = await raftSnapshots(["list", data]);
    assert.equal(code, 2);
    assert.match(stderr, /Cannot choose a store below .*: found .* and .*/);
  });

  it("above a store does not become another store", async (t) => {
    const data = await temporaryDirectory(t);
    const [id = ""] = await makeStore(join(data, "raft"), ["a"]);
    const snapshots = join(data, "raft", "snapshots");
    for (const path of [data, snapshots, join(snapshots, id)]) {
      const { code, stderr } = await raftSnapshots(
        ["import", path, "-"],
        archive(),
      );
      assert.equal(code, 2, path);
      assert.match(stderr, /Cannot make a store in .*: give that directory\n$/);
    }
    assert.deepEqual(await readdir(data), ["raft"]);
  });

  it("without a store leads to advice", async () => {
    const directory = await temporaryDirectory();
    const run = () => raftSnapshots(["list", directory]);
    const empty = await run();
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /There is no store in .*; give the directory /);
    await writeFile(join(directory, "of monday.snap"), "");
    const archives = await run();
    assert.equal(archives.code, 1);
    assert.match(
      archives.stderr,
      /; give archives by their names, such as .*of/,
    );
  });

  it("of a file is an archive, also for cat", async (t) => {
    const file = join(await temporaryDirectory(t), "state.bin");
    await writeFile(file, archive());
    assert.equal(await output("cat", file), STATE);
    const store = await raftSnapshots(["prune", file, "--keep-last", "1"]);
    assert.equal(store.code, 1);
    assert.match(store.stderr, /found a file, expected a directory/);
    await writeFile(file, archive({ sums: "" }));
    assert.equal((await raftSnapshots(["cat", file])).code, 1);
  });
});

describe("latest", () => {
  it("is the newest snapshot, for every command that takes an ID", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, [
      "a",
      "newest",
    ]);
    assert.equal(await output("cat", directory, "latest"), "newest");
    assert.match(
      await output("inspect", directory, "latest"),
      new RegExp(newer),
    );
    assert.match(
      await output("verify", directory, "latest"),
      new RegExp(`^ok +${newer} .*$`),
    );
    assert.equal(await output("seal", directory, "latest"), `sealed ${newer}`);
    const file = join(directory, "backup.snap");
    assert.match(
      await output("export", directory, "latest", file),
      new RegExp(`^exported ${newer} to `),
    );
    assert.equal(await output("cat", file), "newest");
    const target = await temporaryDirectory(t);
    await output("copy", directory, target, "latest");
    assert.equal(await output("cat", target), "newest");
    await output("delete", directory, "latest", "--force");
    assert.equal(await output("cat", directory, older), "a");
  });

  it("is nothing in an empty store", async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, "snapshots"));
    for (
      const args of [["cat", directory, "latest"], [
        "verify",
        directory,
        "latest",
      ]]
    ) {
      const { code, stderr } = await raftSnapshots(args);
      assert.equal(code, 1);
      assert.match(stderr, /There is no snapshot in /);
    }
  });
});

describe("raft-snapshots seal --all", () => {
  it("seals those that are not sealed, and leaves bad ones", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeStore(directory, ["aaa", "bbb", "ccc"]);
    const [, second = "", third = ""] = ids;
    const path = (id: string, name: string) =>
      join(directory, "snapshots", id, name);
    for (const id of [second, third]) await rm(path(id, "blocks.crc64"));
    await writeFile(path(second, "state.bin"), "BAD");
    const { code, stdout, stderr } = await raftSnapshots([
      "seal",
      directory,
      "--all",
    ]);
    assert.deepEqual([code, stdout], [1, `sealed ${third}\n`]);
    assert.match(stderr, new RegExp(`Cannot trust .*${second}`));
    await writeFile(path(second, "state.bin"), "bbb");
    assert.equal(await output("seal", directory, "--all"), `sealed ${second}`);
    const again = await raftSnapshots(["seal", directory, "--all"]);
    assert.deepEqual([again.code, again.stdout], [0, ""]);
    assert.match(again.stderr, /all snapshots are sealed/);
  });

  it("takes IDs or --all, not both and not neither", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    for (const more of [[], ["--all", id]]) {
      assert.equal((await raftSnapshots(["seal", directory, ...more])).code, 2);
    }
  });
});
