import assert from "node:assert/strict";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { archiveOf, members } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

describe("raft-snapshots list", () => {
  it("lists the snapshots in columns, newest first", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older, newer] = await makeStore(directory, [
      "123456789",
      new Uint8Array(1536),
    ]);
    const { code, stdout, stderr } = await raftSnapshots(["list", directory]);
    assert.deepEqual([code, stderr], [0, ""]);
    const cells = stdout.trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    assert.deepEqual(cells.map((row) => row.slice(0, 5)), [
      ["ID", "TERM", "INDEX", "SIZE", "SERVERS"],
      [newer, "3", "11", "1.5 KiB", "1"].map((cell) => cell ?? ""),
      [older, "3", "10", "9 B", "1"].map((cell) => cell ?? ""),
    ]);
    assert.match(cells[1]?.[5] ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it("prints an object with --json", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeStore(directory, ["a", "123456789"]);
    const { code, stdout } = await raftSnapshots(["list", directory, "--json"]);
    assert.equal(code, 0);
    const { snapshots, unfinished } = JSON.parse(stdout);
    assert.deepEqual(unfinished, []);
    assert.deepEqual(snapshots.map(({ id }: { id: string }) => id), [
      ...ids.toReversed(),
    ]);
    const { createdAt, ...newest } = snapshots[0];
    assert.equal(new Date(createdAt).getTime(), Number(ids[1]?.split("-")[2]));
    assert.deepEqual(newest, {
      id: ids[1],
      index: "11",
      term: "3",
      size: 9,
      crc: "995dc9bbdf1939fa",
      version: 1,
      configuration: {
        servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
      },
      configurationIndex: "2",
      peers: "ka0xMC4wLjAuMTo3MDAw",
    });
  });

  it("prints the library's metadata as JSON.stringify() does", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a", "123456789"]);
    const { stdout } = await raftSnapshots(["list", directory, "--json"]);
    const store = await openFileSnapshotStore(directory, { readOnly: true });
    const metas = JSON.parse(JSON.stringify(await store.list()));
    assert.deepEqual(JSON.parse(stdout).snapshots, metas);
    await store.close();
  });

  it("says on stderr that a store is empty, and succeeds", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, []);
    const { code, stdout, stderr } = await raftSnapshots(["list", directory]);
    assert.deepEqual([code, stdout], [0, ""]);
    assert.equal(stderr, `raft-snapshots: no snapshots in ${directory}\n`);
    const json = await raftSnapshots(["list", directory, "--json"]);
    assert.deepEqual(JSON.parse(json.stdout), {
      snapshots: [],
      unfinished: [],
    });
  });

  it("names unreadable snapshots on stderr and lists the others", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "b"]);
    await rm(join(directory, "snapshots", newer, "meta.json"));
    // Long ago: a snapshot that has just lost a file may be being removed.
    await utimes(join(directory, "snapshots", newer), 0, 0);
    const { code, stdout, stderr } = await raftSnapshots(["list", directory]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^${older} `, "m"));
    assert.doesNotMatch(stdout, new RegExp(newer));
    const [why = "", count] = stderr.split("\n");
    assert.match(why, new RegExp(`^raft-snapshots: .*${newer}`));
    assert.equal(count, "raft-snapshots: 1 of 2 snapshots can't be used");
    const json = await raftSnapshots(["list", directory, "--json"]);
    assert.equal(json.code, 1);
    assert.equal(JSON.parse(json.stdout).snapshots.length, 1);
  });

  it("works beside the process that writes, and changes nothing", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    const store = await openFileSnapshotStore(directory);
    try {
      const sink = await store.create({
        index: 99,
        term: 3,
        configuration: { servers: [] },
        configurationIndex: 0,
      });
      const before = await readdir(join(directory, "snapshots"));
      const { code, stdout, stderr } = await raftSnapshots(["list", directory]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^${id} `, "m"));
      assert.deepEqual(await readdir(join(directory, "snapshots")), before);
      await sink.cancel();
    } finally {
      await store.close();
    }
  });

  it("does not make a store that is missing", async (t) => {
    const directory = await temporaryDirectory(t);
    const missing = join(directory, "missing");
    const { code, stdout, stderr } = await raftSnapshots(["list", missing]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      `raft-snapshots: Cannot read ${missing}: ` +
        "no such file or directory\n",
    );
    assert.deepEqual(await readdir(directory), []);
  });

  it("lists archives, newest first, and names those that are bad", async (t) => {
    const folder = await temporaryDirectory(t);
    const [older, newer, bad] = ["a.snap", "b.snap", "c.snap"].map((name) =>
      join(folder, name)
    ) as [string, string, string];
    const { meta, state, sums } = members();
    await writeFile(older, archiveOf(meta, state, sums));
    const modified = 1_700_000_060;
    await writeFile(newer, archiveOf({ ...meta, modified }, state, sums));
    const good = await raftSnapshots(["list", older, newer]);
    assert.deepEqual([good.code, good.stderr], [0, ""]);
    const cells = good.stdout.trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    assert.deepEqual(cells.map((row) => row.slice(0, 6)), [
      ["FILE", "TERM", "INDEX", "SIZE", "SERVERS", "TAKEN"],
      [newer, "3", "10", "24 B", "1", "2023-11-14T22:14:20.000Z"],
      [older, "3", "10", "24 B", "1", "2023-11-14T22:13:20.000Z"],
    ]);
    await writeFile(bad, archiveOf(meta, state, { ...sums, content: "" }));
    const mixed = await raftSnapshots(["list", bad, older, "--json"]);
    assert.equal(mixed.code, 1);
    assert.match(mixed.stderr, /1 of 2 snapshots can't be used\n$/);
    const { snapshots } = JSON.parse(mixed.stdout);
    assert.deepEqual(snapshots.map(({ file }: { file: string }) => file), [
      older,
    ]);
  });
});
