import assert from "node:assert/strict";
import { chmod, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { powerless, whyNotPowerless } from "../support/permissions.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

/** One snapshot at noon of each of these days of 2026, oldest first. */
async function makeDaily(
  directory: string,
  days: readonly (readonly [month: number, day: number])[],
): Promise<string[]> {
  let now = 0;
  const store = await openFileSnapshotStore(directory, {
    retain: Infinity,
    clock: () => now,
  });
  const ids: string[] = [];
  for (const [i, [month, day]] of days.entries()) {
    now = new Date(2026, month - 1, day, 12).getTime();
    const { id } = await store.save({
      index: 10 + i,
      term: 3,
      configuration: { servers: [] },
      configurationIndex: 0,
    }, new TextEncoder().encode(`state ${i}`));
    ids.push(id);
  }
  await store.close();
  return ids;
}

const MAY: readonly [number, number][] = [[5, 1], [5, 2], [5, 3], [5, 4]];

/** Makes the state another one of the same length. */
const spoil = (directory: string, id: string) =>
  writeFile(join(directory, "snapshots", id, "state.bin"), "STATE 0");

describe("raft-snapshots prune", () => {
  it("removes the snapshots that the policy does not keep, and says why it keeps the rest", async (t) => {
    const directory = await temporaryDirectory(t);
    const [a = "", b = "", c = "", d = ""] = await makeDaily(directory, [
      [3, 30],
      [3, 31],
      [5, 3],
      [5, 4],
    ]);
    const { code, stdout, stderr } = await raftSnapshots([
      ...["prune", directory, "--keep-last", "1", "--keep-monthly", "2"],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    assert.deepEqual(lines.map(([what, id, , , why]) => [what, id, why]), [
      ["keep", d, "newest known to be good, last, monthly"],
      ["remove", c, undefined],
      ["keep", b, "monthly"],
      ["remove", a, undefined],
      ["removed 2 snapshots, 14 B", undefined, undefined],
    ]);
    assert.deepEqual(await snapshotNames(directory), [b, d].sort());
  });

  it("only names the snapshots that it would remove, with --dry-run", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeDaily(directory, MAY);
    const args = ["prune", directory, "--keep-within", "1d12h", "--dry-run"];
    const { code, stdout, stderr } = await raftSnapshots(args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /\nwould remove 2 snapshots, 14 B\n$/);
    assert.deepEqual(await snapshotNames(directory), [...ids].sort());
    const json = await raftSnapshots([...args, "--json"]);
    const { dryRun, keep, remove, failed, unusable } = JSON.parse(json.stdout);
    assert.deepEqual([dryRun, failed, unusable], [true, [], []]);
    const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);
    assert.deepEqual(idsOf(keep), [ids[3], ids[2]]);
    assert.deepEqual(keep[1].reasons, ["within"]);
    assert.deepEqual(idsOf(remove), [ids[1], ids[0]]);
  });

  it("does not count bad snapshots, and keeps the newest good one", async (t) => {
    const directory = await temporaryDirectory(t);
    const [a = "", b = "", c = "", d = ""] = await makeDaily(directory, MAY);
    await spoil(directory, d);
    await truncate(join(directory, "snapshots", c, "state.bin"), 0);
    const { code, stdout, stderr } = await raftSnapshots([
      ...["prune", directory, "--keep-last", "1"],
    ]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^keep +${b} .*good, last$`, "m"));
    assert.match(stdout, new RegExp(`^remove +${a} `, "m"));
    assert.match(stderr, new RegExp(`bad  ${d}`));
    assert.match(stderr, new RegExp(`bad  ${c}`));
    assert.match(stderr, /Kept without being counted, .*: 2 snapshots/);
    assert.deepEqual(await snapshotNames(directory), [b, c, d].sort());
  });

  it("removes nothing where no snapshot is known to be good", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeDaily(directory, MAY);
    for (const id of ids) await spoil(directory, id);
    const { code, stdout, stderr } = await raftSnapshots([
      ...["prune", directory, "--keep-last", "1"],
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /no snapshot that is known to be good; nothing is/);
    assert.deepEqual(await snapshotNames(directory), [...ids].sort());
  });

  it(
    "does not take a snapshot that it may not read for a bad one",
    { skip: whyNotPowerless() },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const ids = await makeDaily(directory, MAY);
      for (const id of ids) {
        await chmod(join(directory, "snapshots", id, "state.bin"), 0);
      }
      const { code, stderr } = await raftSnapshots(
        ["prune", directory, "--keep-last", "1", "--dry-run"],
        "",
        { through: powerless },
      );
      assert.equal(code, 3, stderr);
      assert.doesNotMatch(stderr, /bad/);
      assert.deepEqual(await snapshotNames(directory), [...ids].sort());
    },
  );

  it("refuses while another program has the store", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeDaily(directory, MAY);
    const store = await openFileSnapshotStore(directory);
    try {
      const { code, stderr } = await raftSnapshots([
        ...["prune", directory, "--keep-last", "1"],
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /Cannot lock/);
    } finally {
      await store.close();
    }
    assert.deepEqual(await snapshotNames(directory), [...ids].sort());
  });
});

describe("raft-snapshots delete", () => {
  it("removes the snapshots that are named", async (t) => {
    const directory = await temporaryDirectory(t);
    const [a = "", b = "", c = "", d = ""] = await makeDaily(directory, MAY);
    const { code, stdout, stderr } = await raftSnapshots([
      ...["delete", directory, a, c],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, `deleted ${a}\ndeleted ${c}\n`);
    assert.deepEqual(await snapshotNames(directory), [b, d].sort());
  });

  it("removes nothing when one of them is missing", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeDaily(directory, MAY);
    const { code, stdout, stderr } = await raftSnapshots([
      ...["delete", directory, ids[0] ?? "", "3-99-1"],
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /Cannot find snapshot 3-99-1 in /);
    assert.deepEqual(await snapshotNames(directory), [...ids].sort());
  });

  it("refuses the newest that is good, and takes newer ones that are bad", async (t) => {
    const directory = await temporaryDirectory(t);
    const [a = "", b = "", c = "", d = ""] = await makeDaily(directory, MAY);
    await spoil(directory, d);
    const refused = await raftSnapshots(["delete", directory, d, c]);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(
      refused.stderr,
      new RegExp(`Cannot delete ${c}, the newest good`),
    );
    const bad = await raftSnapshots(["delete", directory, d]);
    assert.equal(bad.code, 0, bad.stderr);
    const forced = await raftSnapshots(["delete", directory, c, "--force"]);
    assert.equal(forced.code, 0, forced.stderr);
    assert.deepEqual(await snapshotNames(directory), [a, b].sort());
  });

  it(
    "refuses one that it may not read and that may be the newest good one",
    { skip: whyNotPowerless() },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [, , , d = ""] = await makeDaily(directory, MAY);
      await chmod(join(directory, "snapshots", d, "state.bin"), 0);
      const { code, stderr } = await raftSnapshots(
        ["delete", directory, d],
        "",
        { through: powerless },
      );
      assert.equal(code, 3, stderr);
      assert.match(stderr, /which may be the newest good snapshot: .*EACCES/);
    },
  );
});
