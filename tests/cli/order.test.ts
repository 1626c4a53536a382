/** Backups of a cluster and of the one that was built in its place. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { archiveOf, members, metaText } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

/** The seconds since 1970 at the beginning of a day of January 2026. */
const day = (n: number) => Date.UTC(2026, 0, n) / 1000;

/** An archive of a snapshot that was taken on a day of January 2026. */
function archiveFrom(term: number, index: number, taken: number): Uint8Array {
  const state = `state ${index}`;
  const meta = metaText({ Term: term, Index: index, Size: state.length });
  const parts = members({ meta, state });
  return archiveOf(
    { ...parts.meta, modified: day(taken) },
    parts.state,
    parts.sums,
  );
}

/** Imports an archive, and gives the ID and the warnings. */
async function importInto(
  directory: string,
  archive: Uint8Array,
  ...args: string[]
): Promise<{ id: string; stderr: string }> {
  const { code, stdout, stderr } = await raftSnapshots(
    ["import", directory, "-", ...args],
    archive,
  );
  assert.equal(code, 0, stderr);
  return { id: stdout.trim(), stderr };
}

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await raftSnapshots(args);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd();
}

describe("raft-snapshots --order", () => {
  it("taken lists, reads and copies the snapshot that was taken last", async (t) => {
    const directory = await temporaryDirectory(t);
    const old = await importInto(directory, archiveFrom(9, 900, 2));
    const fresh = await importInto(directory, archiveFrom(2, 15, 5));
    const lines = (text: string) =>
      text.split("\n").map((line) => line.split(" ")[0]);
    assert.deepEqual(lines(await output("list", directory)), [
      "ID",
      old.id,
      fresh.id,
    ]);
    assert.deepEqual(
      lines(await output("list", directory, "--order", "taken")),
      ["ID", fresh.id, old.id],
    );
    assert.equal(await output("cat", directory), "state 900");
    assert.equal(
      await output("--order", "taken", "cat", directory),
      "state 15",
    );
    assert.match(
      await output("inspect", directory, "--order", "taken"),
      new RegExp(`^ID +${fresh.id}$`, "m"),
    );
    const target = await temporaryDirectory(t);
    await output("copy", directory, target, "--order", "taken");
    assert.equal(await output("cat", target), "state 15");
    const [copy] = JSON.parse(await output("list", target, "--json")).snapshots;
    assert.equal(copy.takenAt, "2026-01-05T00:00:00.000Z");
  });

  it("taken keeps the newest by time with --retain", async (t) => {
    const directory = await temporaryDirectory(t);
    for (const [term, index, taken] of [[9, 800, 2], [9, 900, 3]] as const) {
      await importInto(directory, archiveFrom(term, index, taken));
    }
    const args = ["--retain", "2", "--order", "taken"];
    const first = await importInto(directory, archiveFrom(2, 15, 5), ...args);
    const second = await importInto(directory, archiveFrom(2, 16, 6), ...args);
    assert.deepEqual(
      await snapshotNames(directory),
      [first.id, second.id].sort(),
    );
  });

  it("raft lets import warn that the snapshot is not the newest", async (t) => {
    const directory = await temporaryDirectory(t);
    const old = await importInto(directory, archiveFrom(9, 900, 2));
    assert.equal(old.stderr, "");
    const fresh = await importInto(directory, archiveFrom(2, 15, 5));
    assert.match(
      fresh.stderr,
      new RegExp(
        `^raft-snapshots: ${fresh.id} is not the newest .*${old.id} is, by term and index; give --order taken`,
      ),
    );
    const again = await importInto(
      directory,
      archiveFrom(2, 16, 6),
      ...["--order", "taken"],
    );
    assert.equal(again.stderr, "");
    const late = await importInto(
      directory,
      archiveFrom(9, 950, 3),
      ...["--order", "taken"],
    );
    assert.match(late.stderr, /is not the newest .*by the time when/);
  });

  it("does not matter to prune, which goes by the time of the state", async (t) => {
    const directory = await temporaryDirectory(t);
    const old = await importInto(directory, archiveFrom(9, 900, 2));
    const middle = await importInto(directory, archiveFrom(2, 15, 3));
    const fresh = await importInto(directory, archiveFrom(2, 16, 4));
    const args = ["--keep-last", "1", "--order", "taken"];
    const pruned = await output("prune", directory, ...args);
    assert.match(pruned, new RegExp(`^keep +${fresh.id} .*2026-01-04T`, "m"));
    assert.match(
      pruned,
      new RegExp(`^remove +${middle.id} .*2026-01-03T`, "m"),
    );
    assert.match(pruned, new RegExp(`^remove +${old.id} .*2026-01-02T`, "m"));
  });

  it("shows when the state was taken, also of an archive", async (t) => {
    const folder = await temporaryDirectory(t);
    const file = join(folder, "backup.snap");
    await writeFile(file, archiveFrom(2, 15, 5));
    const directory = join(folder, "store");
    await output("import", directory, file);
    const time = "2026-01-05T00:00:00.000Z";
    assert.match(await output("list", directory), new RegExp(time));
    for (const path of [file, directory]) {
      assert.match(
        await output("inspect", path),
        new RegExp(`^Taken +${time}`, "m"),
      );
    }
  });
});
