import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  makeStore,
  makeUnfinished,
  raftSnapshots,
  snapshotNames,
} from "./raft_snapshots.ts";

const MIB = 1024 * 1024;

describe("raft-snapshots seal", () => {
  it("gives a snapshot the block checksums that it lacks", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["123456789"]);
    const path = join(directory, "snapshots", id, "blocks.crc64");
    const written = await readFile(path);
    await rm(path);
    const { code, stdout, stderr } = await raftSnapshots([
      "seal",
      directory,
      id,
    ]);
    assert.deepEqual([code, stdout, stderr], [0, `sealed ${id}\n`, ""]);
    assert.deepEqual(await readFile(path), written);
    assert.deepEqual(await snapshotNames(directory), [id]);
  });

  it("removes nothing, because a Go server may be writing it", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["123456789"]);
    await makeUnfinished(directory, "3-11-1.tmp", { ageHours: 2 });
    await makeUnfinished(directory, "3-12-1.tmp", { isOurs: true });
    const { code, stderr } = await raftSnapshots(["seal", directory, id]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(
      await snapshotNames(directory),
      [id, "3-11-1.tmp", "3-12-1.tmp"].sort(),
    );
  });

  it("writes nothing to a corrupt snapshot", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["123456789"]);
    const folder = join(directory, "snapshots", id);
    await rm(join(folder, "blocks.crc64"));
    await writeFile(join(folder, "state.bin"), "123456780");
    const { code, stderr } = await raftSnapshots(["seal", directory, id]);
    assert.equal(code, 1);
    assert.match(stderr, /^raft-snapshots: Cannot trust state\.bin/);
    await assert.rejects(readFile(join(folder, "blocks.crc64")));
  });

  it("makes no store where no store exists", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = "3-10-1795361690419";
    const { code } = await raftSnapshots(["seal", directory, id]);
    assert.equal(code, 1);
    await assert.rejects(readFile(join(directory, "snapshots")), {
      code: "ENOENT",
    });
  });
});

describe("raft-snapshots verify", () => {
  it("shows where the bad blocks are", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, [new Uint8Array(6 * MIB)]);
    const path = join(directory, "snapshots", id, "state.bin");
    const state = await readFile(path);
    state[MIB] = 1;
    state[5 * MIB + 7] = 1;
    await writeFile(path, state);
    const { code, stdout } = await raftSnapshots(["verify", directory]);
    assert.equal(code, 1);
    const lines = stdout.split("\n");
    assert.deepEqual(lines.slice(2, 5), [
      "     bad: 1–2 MiB, 5–6 MiB",
      "     2 of 6 blocks of 1.0 MiB are bad (X); a mark is up to 1.0 MiB",
      "     ░X░░░X",
    ]);
    const json = await raftSnapshots(["verify", directory, "--json"]);
    const [found] = JSON.parse(json.stdout).snapshots;
    assert.deepEqual(found.badOffsets, [MIB, 5 * MIB]);
    assert.deepEqual([found.sealed, found.blockCount], [true, 6]);
  });
});
