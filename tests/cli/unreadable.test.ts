/**
 * Snapshots that the tool may not read: that says nothing against them.
 */

import assert from "node:assert/strict";
import { chmod, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { archive } from "../archive/hand_made.ts";
import { powerless, whyNotPowerless } from "../support/permissions.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  makeStore,
  makeUnfinished,
  raftSnapshots,
  snapshotNames,
} from "./raft_snapshots.ts";

const needs = { skip: whyNotPowerless() } as const;

/** Runs the tool as a user whom permission bits stop. */
function run(...args: string[]) {
  return raftSnapshots(args, "", { through: powerless });
}

/** A store of two snapshots, and the path of the newest. */
async function setUp(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = await temporaryDirectory(t);
  const [older = "", newest = ""] = await makeStore(directory, ["a", "b"]);
  const path = join(directory, "snapshots", newest);
  return { directory, older, newest, path };
}

describe("raft-snapshots, for a snapshot that it may not read,", () => {
  for (const part of ["", "meta.json", "state.bin"]) {
    const what = part === "" ? "as a whole" : part;
    it(
      `prints ??? and not bad, and exits with 3: ${what}`,
      needs,
      async (t) => {
        const { directory, older, newest, path } = await setUp(t);
        await chmod(join(path, part), 0);
        const { code, stdout, stderr } = await run("verify", directory);
        assert.equal(code, 3, stderr);
        assert.match(stdout, new RegExp(`^\\?{3}  ${newest}$`, "m"));
        assert.match(stdout, /EACCES/);
        assert.match(stdout, new RegExp(`^ok   ${older}`, "m"));
        assert.equal(
          stderr,
          "raft-snapshots: 1 of 2 snapshots: could not be checked\n",
        );
        const json = await run("verify", directory, "--json");
        const found: { state: string }[] = JSON.parse(json.stdout).snapshots;
        assert.deepEqual(found.map(({ state }) => state), ["unchecked", "ok"]);
        for (const command of ["cat", "inspect"]) {
          // Inspecting reads no state, but it opens it.
          assert.equal((await run(command, directory)).code, 3, command);
        }
        await chmod(join(path, part), 0o700);
      },
    );
  }

  it(
    "exits with 3 when an archive or a file can't be read",
    needs,
    async (t) => {
      const folder = await temporaryDirectory(t);
      const file = join(folder, "backup.snap");
      await writeFile(file, archive());
      await chmod(file, 0);
      for (
        const args of [
          ["inspect", file],
          ["verify", file],
          ["import", join(folder, "store"), file],
          ["save", join(folder, "store"), file, "--index", "1", "--term", "1"],
        ]
      ) {
        const { code, stderr } = await run(...args);
        assert.equal(code, 3, args[0]);
        assert.match(
          stderr,
          /Cannot read .*: permission denied|not be checked/,
        );
      }
    },
  );

  it("lists the others, and exits with 3", needs, async (t) => {
    const { directory, older, newest, path } = await setUp(t);
    await chmod(path, 0);
    const { code, stdout, stderr } = await run("list", directory);
    assert.equal(code, 3, stderr);
    assert.match(stdout, new RegExp(`^${older} `, "m"));
    assert.match(stderr, new RegExp(`Skipping snapshot ${newest}: .*EACCES`));
    await chmod(path, 0o700);
  });

  it("exits with 1 when another snapshot is corrupt", needs, async (t) => {
    const { directory, older, path } = await setUp(t);
    await truncate(join(directory, "snapshots", older, "state.bin"), 0);
    await chmod(path, 0);
    for (const command of ["list", "verify"]) {
      assert.equal((await run(command, directory)).code, 1, command);
    }
    await chmod(path, 0o700);
  });

  it("exits with 3 when the store itself can't be read", needs, async (t) => {
    const { directory } = await setUp(t);
    const snapshots = join(directory, "snapshots");
    // Without the search bit the names can be read, and nothing else.
    for (const mode of [0, 0o600]) {
      await chmod(snapshots, mode);
      for (const command of ["list", "verify", "inspect", "cat"]) {
        const { code, stderr } = await run(command, directory);
        assert.equal(code, 3, `${command} ${mode.toString(8)}: ${stderr}`);
      }
    }
    await chmod(snapshots, 0o700);
  });

  it(
    "removes and shows other unfinished snapshots, and names those that it may not remove",
    needs,
    async (t) => {
      const { directory } = await setUp(t);
      const [denied, other] = ["3-20-1.tmp", "3-20-2.tmp"];
      for (const name of [denied, other]) {
        await makeUnfinished(directory, name, { ageHours: 2 });
      }
      const path = join(directory, "snapshots", denied);
      await chmod(path, 0);
      const listed = await run("list", directory, "--json");
      const ids = JSON.parse(listed.stdout).unfinished
        .map(({ id }: { id: string }) => id);
      assert.deepEqual(ids.sort(), ["3-20-1", "3-20-2"], listed.stderr);
      const { code, stderr } = await run("clean", directory, "--yes");
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`Cannot remove .*${denied}: EACCES`));
      const names = await snapshotNames(directory);
      assert.deepEqual([names.includes(denied), names.includes(other)], [
        true,
        false,
      ]);
      await chmod(path, 0o700);
    },
  );
});
