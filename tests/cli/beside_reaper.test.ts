/**
 * Beside a program that removes a snapshot file by file, as Go does: its
 * directory is empty for a moment.
 */

import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileSnapshotStore, type SnapshotStore } from "@raft/snapshots";
import { openChosen } from "../../src/cli/stores.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

const REAPED = "3-99-1";

describe("raft-snapshots, beside a program that removes a snapshot,", () => {
  it("does not call the emptied directory a snapshot, nor the rest of a crash", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["the state"]);
    await mkdir(join(directory, "snapshots", REAPED));
    for (const command of ["list", "inspect", "verify", "cat"]) {
      const { code, stdout, stderr } = await raftSnapshots([
        command,
        directory,
      ]);
      assert.deepEqual([code, stderr], [0, ""], command);
      assert.match(stdout, command === "cat" ? /^the state$/ : new RegExp(id));
    }
    const { stdout } = await raftSnapshots(["list", directory, "--json"]);
    const [{ id: found, mayBeUnderWay }] = JSON.parse(stdout).unfinished;
    assert.deepEqual([found, mayBeUnderWay], [REAPED, true]);
  });

  it("lists the others without an error when a deletion is marked in place", async (t) => {
    const directory = await temporaryDirectory(t);
    const [, marked = ""] = await makeStore(directory, ["a", "b"]);
    await writeFile(join(directory, "snapshots", marked, "deleted"), "");
    const { code, stderr } = await raftSnapshots(["list", directory]);
    assert.equal(code, 0, stderr);
  });

  it("opens the next snapshot when the newest is removed meanwhile", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "b"]);
    const store = await openFileSnapshotStore(directory, { readOnly: true });
    const opened: string[] = [];
    const reaped: SnapshotStore = Object.assign(Object.create(store), {
      list: (options: { unusable: true }) => store.list(options),
      open: async (id: string) => {
        opened.push(id);
        await rm(join(directory, "snapshots", newer), {
          recursive: true,
          force: true,
        });
        return await store.open(id);
      },
    });
    const source = await openChosen(reaped, directory, { id: undefined });
    assert.equal(source.meta.id, older);
    await source.cancel();
    assert.deepEqual(opened, [newer, older]);
    await store.close();
  });
});
