import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { archive, metaText } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

const STATES = ["a", "b", "c", "d", "e", "f", "g"];

/** The commands that write a snapshot of index 99, or an old one. */
async function writers(directory: string): Promise<string[][]> {
  const [newer, older] = [join(directory, "newer"), join(directory, "older")];
  await writeFile(newer, archive({ meta: metaText({ Index: 99 }) }));
  await writeFile(older, archive({ meta: metaText({ Index: 1 }) }));
  return [
    ["import", directory, newer],
    ["import", directory, older],
    ["save", directory, "--index", "99", "--term", "3"],
  ];
}

describe("raft-snapshots save and import", () => {
  it("delete nothing unless --retain is given", async (t) => {
    const directory = await temporaryDirectory(t);
    const kept = await makeStore(directory, STATES);
    for (const args of await writers(directory)) {
      const { code, stdout, stderr } = await raftSnapshots(args, "state");
      assert.equal(code, 0, stderr);
      // Of an old one import warns that it is not the newest.
      assert.doesNotMatch(stderr, /Reaped/);
      kept.push(stdout.trimEnd());
      assert.deepEqual(await snapshotNames(directory), [...kept].sort());
    }
  });

  it("name on stderr the snapshots that --retain deletes", async (t) => {
    for (const command of ["import", "save"]) {
      const directory = await temporaryDirectory(t);
      const ids = await makeStore(directory, STATES);
      const all = await writers(directory);
      const args = all.find(([name]) => name === command) ?? [];
      const { code, stdout, stderr } = await raftSnapshots(
        [...args, "--retain", "3"],
        "state",
      );
      assert.equal(code, 0);
      const named = stderr.trimEnd().split("\n").sort();
      assert.deepEqual(
        named,
        ids.slice(0, 5).map((id) => `raft-snapshots: Reaped snapshot ${id}`),
      );
      const left = [...ids.slice(5), stdout.trimEnd()];
      assert.deepEqual(await snapshotNames(directory), left.sort());
    }
  });
});
