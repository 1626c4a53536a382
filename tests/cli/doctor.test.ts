import assert from "node:assert/strict";
import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { lockRecord, writeRecord } from "../fs/lock/records.ts";
import { powerless, whyNotPowerless } from "../support/permissions.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  makeStore,
  makeUnfinished,
  raftSnapshots,
  snapshotNames,
} from "./raft_snapshots.ts";

const MIB = 1024 * 1024;

/** The `name  value` lines of the text. */
function rowsOf(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/))
      .map(([name = "", value = ""]) => [name, value]),
  );
}

describe("raft-snapshots doctor", () => {
  it("says that a store is good, and which snapshot a start restores", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "bb"]);
    const before = await snapshotNames(directory);
    const { code, stdout, stderr } = await raftSnapshots(["doctor", directory]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      new RegExp(`^ok   ${newer}  2 B\nok   ${older}  1 B\n`),
    );
    const rows = rowsOf(stdout);
    assert.match(
      rows["newest"] ?? "",
      new RegExp(`^${newer}, taken .*Z \\(\\d+ s ago\\)$`),
    );
    assert.equal(
      rows["a start"],
      `restores ${newer}, and needs the log from index 12`,
    );
    assert.equal(rows["sealed"], "2 of 2");
    assert.equal(rows["lock"], "none");
    assert.match(rows["space"] ?? "", /^3 B used/);
    assert.deepEqual(await snapshotNames(directory), before);
  });

  it("names bad parts, leftovers and the lock, and exits with 1", async (t) => {
    const directory = await temporaryDirectory(t);
    const state = new Uint8Array(6 * MIB);
    const [older = "", newer = ""] = await makeStore(directory, ["a", state]);
    for (const at of [MIB, 2 * MIB, 5 * MIB]) state[at] = 1;
    await writeFile(join(directory, "snapshots", newer, "state.bin"), state);
    await rm(join(directory, "snapshots", older, "blocks.crc64"));
    await makeUnfinished(directory, "3-20-1.tmp", { isOurs: true });
    await writeRecord(
      join(directory, "snapshots", ".lock"),
      lockRecord({ host: "gone", boot: "another" }),
    );
    const { code, stdout, stderr } = await raftSnapshots(["doctor", directory]);
    assert.equal(code, 1);
    assert.equal(stderr, "raft-snapshots: 1 of 2 snapshots are bad\n");
    assert.match(stdout, new RegExp(`^bad  ${newer}  6\\.0 MiB$`, "m"));
    assert.match(stdout, /^ {5}bad: 1–3 MiB, 5–6 MiB$/m);
    const rows = rowsOf(stdout);
    assert.equal(
      rows["a start"],
      `restores ${older}, and needs the log from index 11`,
    );
    assert.equal(rows["sealed"], "1 of 2");
    assert.match(rows["lock"] ?? "", /on host gone .*can't be seen from here$/);
  });

  it("prints all that it knows as JSON", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "bb"]);
    await writeFile(join(directory, "snapshots", newer, "state.bin"), "xx");
    const { code, stdout } = await raftSnapshots([
      "doctor",
      directory,
      "--json",
    ]);
    assert.equal(code, 1);
    const found = JSON.parse(stdout);
    assert.equal(found.ok, false);
    assert.equal(found.newest.id, newer);
    assert.deepEqual([found.restores.id, found.restores.logFrom], [
      older,
      "11",
    ]);
    assert.deepEqual(
      found.snapshots.map((each: { state: string }) => each.state),
      ["bad", "ok"],
    );
    assert.deepEqual(found.snapshots[0].badRanges, [{ start: 0, end: 2 }]);
    assert.equal(found.snapshots[0].errors[0].code, "ERR_SNAPSHOT_CORRUPT");
    assert.deepEqual([found.lock, found.usedBytes], [null, 3]);
  });

  it("writes metrics that an exporter reads", async (t) => {
    const directory = await temporaryDirectory(t);
    const [, newer = ""] = await makeStore(directory, ["a", "bb"]);
    const file = join(directory, "raft.prom");
    const args = ["doctor", directory, "--prometheus"];
    const { code, stderr } = await raftSnapshots([...args, file]);
    assert.equal(code, 0, stderr);
    const text = await readFile(file, "utf8");
    const place = directory;
    const value = (name: string, labels = "") =>
      text.split("\n").find((line) =>
        line.startsWith(`raft_snapshots_${name}{place="${place}"${labels}} `)
      )?.split(" ").at(-1);
    assert.equal(value("snapshots", ',state="good"'), "2");
    assert.equal(value("snapshots", ',state="bad"'), "0");
    assert.equal(value("newest_good_index"), "11");
    assert.equal(value("doctor_exit_code"), "0");
    assert.equal(
      Number(value("newest_good_timestamp_seconds")) * 1000,
      Number(newer.split("-")[2]),
    );
    for (const line of text.trimEnd().split("\n")) {
      assert.match(
        line,
        /^(# (HELP|TYPE) raft_snapshots_\w+ .*|raft_snapshots_\w+\{.*\} [\d.e+]+)$/,
      );
    }
    if (process.platform !== "win32") {
      assert.equal((await stat(file)).mode & 0o777, 0o644);
    }
    const printed = await raftSnapshots([...args, "-"]);
    assert.match(printed.stdout, /^# HELP raft_snapshots_snapshots /);
  });

  it("fails when the newest good snapshot is older than --max-age", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const run = (age: string) =>
      raftSnapshots(["doctor", directory, "--max-age", age]);
    assert.equal((await run("1h")).code, 0);
    const old = await run("0s");
    assert.equal(old.code, 1);
    assert.match(old.stderr, /the newest good snapshot is too old: taken /);
    const empty = await temporaryDirectory(t);
    await makeStore(empty, []);
    assert.equal((await raftSnapshots(["doctor", empty])).code, 0);
    const none = await raftSnapshots(["doctor", empty, "--max-age", "1h"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /found no good snapshot/);
  });

  it("reads no state with --quick", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    await writeFile(join(directory, "snapshots", id, "state.bin"), "x");
    const { code, stdout } = await raftSnapshots([
      "doctor",
      directory,
      "--quick",
    ]);
    assert.equal(code, 0);
    assert.equal(rowsOf(stdout)["sealed"], undefined);
  });

  it(
    "exits with 3 for a snapshot that it may not read",
    { skip: whyNotPowerless() },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [, newer = ""] = await makeStore(directory, ["a", "bb"]);
      await chmod(join(directory, "snapshots", newer, "state.bin"), 0);
      const run = (...args: string[]) =>
        raftSnapshots(["doctor", directory, ...args], "", {
          through: powerless,
        });
      const { code, stdout, stderr } = await run();
      assert.equal(code, 3, stderr);
      assert.match(stdout, new RegExp(`^\\?{3}  ${newer}`, "m"));
      assert.match(stderr, /1 of 2 snapshots could not be checked/);
      const json = JSON.parse((await run("--json")).stdout);
      assert.equal(json.snapshots[0].state, "unchecked");
      assert.equal(json.snapshots[0].errors[0].code, "ERR_SNAPSHOT_UNREADABLE");
    },
  );
});

describe("raft-snapshots unlock", () => {
  const lockOf = (directory: string) => join(directory, "snapshots", ".lock");
  const unseen = () => lockRecord({ host: "gone", boot: "another" });

  it("shows the holder, and gives up a lock whose holder can't be seen", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    await writeRecord(lockOf(directory), unseen());
    const asked = await raftSnapshots(["unlock", directory]);
    assert.equal(asked.code, 2);
    assert.match(asked.stdout, /^locked by process \d+ on host gone /);
    assert.match(asked.stderr, /the lock stays without --yes/);
    const refused = await raftSnapshots(["clean", directory, "--yes"]);
    assert.equal(
      refused.code,
      0,
      "nothing is unfinished, so no lock is needed",
    );
    const { code, stdout } = await raftSnapshots([
      "unlock",
      directory,
      "--yes",
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /\nunlocked .*\n$/);
    await assert.rejects(readFile(lockOf(directory)), { code: "ENOENT" });
    const again = await raftSnapshots(["unlock", directory]);
    assert.deepEqual([again.code, again.stdout], [0, ""]);
    assert.match(again.stderr, /no program has locked/);
  });

  it("refuses a holder that is seen alive", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const store = await openFileSnapshotStore(directory);
    try {
      const { code, stderr } = await raftSnapshots([
        "unlock",
        directory,
        "--yes",
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /Cannot unlock .*: the holder is alive/);
      const record = await readFile(lockOf(directory), "utf8");
      assert.equal(JSON.parse(record).pid, process.pid);
      const { lock } = await store.inspect();
      assert.ok(lock?.owner);
      const takeLockFrom = lock.owner;
      await assert.rejects(openFileSnapshotStore(directory, { takeLockFrom }), {
        code: "ERR_STORE_LOCKED",
      });
    } finally {
      await store.close();
    }
  });

  it("leaves a file alone that is not a lock of this library", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    await writeFile(lockOf(directory), "something else");
    const { code, stderr } = await raftSnapshots([
      "unlock",
      directory,
      "--yes",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /holds no lock record.*remove it once no process/);
    assert.equal(await readFile(lockOf(directory), "utf8"), "something else");
  });
});
