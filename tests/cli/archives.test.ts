/** The commands on a directory or bucket of archives, as `backup` fills it. */

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { listed } from "../support/listed.ts";
import { type ServedS3, serveS3 } from "../support/s3/serve.ts";
import { INIT } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";
import { golden } from "./snapshot_server.ts";

const DAY = 86_400_000;
const NOW = Date.now();

/** A directory of archives, the newest first: two good ones, a bad one. */
async function makeArchives(
  names: readonly ("consul" | "vault" | "bad")[] = ["consul", "vault", "bad"],
): Promise<{ directory: string; names: string[] }> {
  const directory = await temporaryDirectory();
  const made: string[] = [];
  for (const [i, name] of names.entries()) {
    const isBad = name === "bad";
    const content = await golden(isBad ? "consul" : name);
    if (isBad) content[content.length >> 1] = 0;
    const path = `10-${NOW - i * DAY - 60_000}.snap`;
    await writeFile(join(directory, path), content);
    made.push(path);
  }
  await writeFile(join(directory, "notes.txt"), "not ours");
  return { directory, names: made };
}

/** The environment for a bucket. */
function envOf({ endpoint }: ServedS3) {
  return {
    ...process.env,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
}

describe("the command line with archives", () => {
  it("lists them, the newest first", async () => {
    const { directory, names } = await makeArchives();
    const { code, stdout, stderr } = await raftSnapshots(["list", directory]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trim().split("\n");
    assert.match(lines[0] ?? "", /^NAME +INDEX +SIZE +TAKEN$/);
    assert.deepEqual(lines.slice(1).map((each) => each.split(" ")[0]), names);
    const json = await raftSnapshots(["list", directory, "--json"]);
    const { archives } = JSON.parse(json.stdout);
    assert.deepEqual([archives[0].name, archives[0].index], [names[0], "10"]);
  });

  it("verifies all of them, or those that are named", async () => {
    const { directory, names } = await makeArchives();
    const all = await raftSnapshots(["verify", directory]);
    assert.equal(all.code, 1);
    assert.match(all.stdout, new RegExp(`^ok   ${names[0]}`, "m"));
    assert.match(all.stdout, new RegExp(`^ok   ${names[1]}`, "m"));
    assert.match(all.stdout, new RegExp(`^bad  ${names[2]}`, "m"));
    assert.match(all.stderr, /1 of 3 snapshots: bad/);
    const one = await raftSnapshots(["verify", directory, names[0] ?? ""]);
    assert.equal(one.code, 0, one.stderr);
    const none = await raftSnapshots(["verify", directory, "1-1.snap"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /Cannot find/);
  });

  it("prunes them, and keeps the newest good one and bad ones", async () => {
    const { directory, names } = await makeArchives(
      ["bad", "consul", "vault", "consul"],
    );
    const args = ["prune", directory, "--keep-last", "1"];
    const dry = await raftSnapshots([...args, "--dry-run", "--json"]);
    assert.equal(dry.code, 1, "one of them is bad");
    const { keep, remove, unusable } = JSON.parse(dry.stdout);
    const namesOf = (all: readonly { name: string }[]) =>
      all.map(({ name }) => name);
    assert.deepEqual(namesOf(keep), [names[1]]);
    assert.deepEqual(namesOf(remove), [names[2], names[3]]);
    assert.deepEqual(namesOf(unusable), [names[0]]);
    assert.equal((await readdir(directory)).length, 5);
    const { code, stdout } = await raftSnapshots(args);
    assert.equal(code, 1);
    assert.match(stdout, /removed 2 archives/);
    const left = (await readdir(directory)).sort();
    assert.deepEqual(left, [names[1], names[0], "notes.txt"].sort());
    const onlyBad = await makeArchives(["bad", "bad"]);
    const refused = await raftSnapshots(
      ["prune", onlyBad.directory, "--keep-last", "1"],
    );
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nothing is removed/);
    assert.equal((await readdir(onlyBad.directory)).length, 3);
  });

  it("tells which are good, and how old the newest of these is", async () => {
    const { directory, names } = await makeArchives(["bad", "consul"]);
    const args = ["doctor", directory];
    const bad = await raftSnapshots(args);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /1 of 2 archives are bad/);
    assert.match(bad.stdout, new RegExp(`^bad  ${names[0]}`, "m"));
    assert.match(bad.stdout, new RegExp(`^newest good +${names[1]}`, "m"));
    const quick = await raftSnapshots([...args, "--quick", "--json"]);
    assert.equal(quick.code, 0, quick.stderr);
    const { ok, newest, archives } = JSON.parse(quick.stdout);
    assert.deepEqual([ok, newest.name, archives.length], [true, names[0], 2]);
    const metrics = await raftSnapshots([...args, "--prometheus", "-"]);
    const lines = metrics.stdout.split("\n");
    const value = (start: string, label: string) =>
      lines.find((line) =>
        line.startsWith(`raft_snapshots_${start}`) && line.includes(label)
      )?.split(" ").at(-1);
    assert.equal(value("doctor_exit_code", ""), "1");
    assert.equal(value("archives", 'state="bad"'), "1");
    const good = await makeArchives(["consul"]);
    const fine = await raftSnapshots(["doctor", good.directory]);
    assert.equal(fine.code, 0, fine.stderr);
    const old = ["doctor", good.directory, "--max-age", "30s"];
    const tooOld = await raftSnapshots(old);
    assert.equal(tooOld.code, 1);
    assert.match(tooOld.stderr, /too old/);
  });

  it("copies them as they are, or into a store, and never a bad one", async () => {
    const { directory, names } = await makeArchives(["vault", "bad"]);
    const [newest = "", bad = ""] = names;
    const served = await serveS3();
    const env = envOf(served);
    const copy = (...args: string[]) =>
      raftSnapshots(["copy", ...args], "", { env });
    try {
      const bucket = "s3://bucket/archives";
      const up = await copy(directory, bucket);
      assert.equal(up.code, 0, up.stderr);
      assert.equal(up.stdout.trim(), newest);
      const again = await copy(directory, bucket, "--if-missing");
      assert.equal(again.code, 0, again.stderr);
      const back = join(directory, "back");
      const down = await copy(bucket, back, newest);
      assert.equal(down.code, 0, down.stderr);
      assert.deepEqual(
        new Uint8Array(await readFile(join(back, newest))),
        await golden("vault"),
      );
      for (const place of [bucket, join(directory, "none")]) {
        const refused = await copy(directory, place, bad);
        assert.equal(refused.code, 1);
      }
      const { stdout } = await raftSnapshots(["list", bucket], "", { env });
      assert.equal(stdout.trim().split("\n").length, 2);
      const store = await temporaryDirectory();
      await mkdir(join(store, "snapshots"));
      const into = await copy(directory, store);
      assert.equal(into.code, 0, into.stderr);
      const [snapshot] = await listed(store);
      assert.equal(snapshot?.id, into.stdout.trim());
    } finally {
      await served.close();
    }
  });
});

describe("raft-snapshots restore-drill", () => {
  it("brings the newest archive back, and leaves nothing behind", async () => {
    const { directory, names } = await makeArchives();
    const scratch = await temporaryDirectory();
    const args = ["restore-drill", directory, "--scratch", scratch];
    const { code, stdout, stderr } = await raftSnapshots(args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      new RegExp(
        `^restored ${names[0]} in .*: index 10, term 3, 13 B, 1 server`,
      ),
    );
    assert.deepEqual(await readdir(scratch), []);
    const json = await raftSnapshots([...args, "--json", "--max-age", "1d"]);
    assert.equal(json.code, 0, json.stderr);
    assert.equal(JSON.parse(json.stdout).backup, names[0]);
    const old = await raftSnapshots([...args, "--max-age", "30s"]);
    assert.equal(old.code, 1);
    assert.match(old.stderr, /too old/);
  });

  it("fails when the newest is bad, whatever the others are", async () => {
    const { directory } = await makeArchives(["bad", "consul"]);
    const scratch = await temporaryDirectory();
    const { code, stderr } = await raftSnapshots(
      ["restore-drill", directory, "--scratch", scratch],
    );
    assert.equal(code, 1);
    assert.match(stderr, /archive/);
    assert.deepEqual(await readdir(scratch), []);
  });

  it("says where it could not make its scratch store", async () => {
    const { directory } = await makeArchives(["consul"]);
    const scratch = join(directory, "none");
    const args = ["restore-drill", directory, "--scratch", scratch];
    const { code, stderr } = await raftSnapshots(args);
    assert.equal(code, 3);
    assert.match(stderr, /Cannot make a scratch store in .*none: no such file/);
  });

  it("compares the age of the state, not that of its copy", async () => {
    const directory = await temporaryDirectory();
    const store = await openFileSnapshotStore(directory);
    const takenAt = new Date(Date.now() - 5 * DAY);
    await store.save({ ...INIT, takenAt }, new Uint8Array(3));
    await store.close();
    const args = ["restore-drill", directory, "--max-age"];
    const old = await raftSnapshots([...args, "4d"]);
    assert.deepEqual([old.code, /too old/.test(old.stderr)], [1, true]);
    assert.match(old.stdout, /1 server, taken 120 h 0 min ago/);
    const young = await raftSnapshots([...args, "6d", "--json"]);
    assert.equal(young.code, 0, young.stderr);
    const { ageSeconds, snapshot } = JSON.parse(young.stdout);
    assert.equal(Math.floor(ageSeconds / 86_400), 5);
    assert.equal(snapshot.takenAt, takenAt.toISOString());
    assert.ok(Date.parse(snapshot.createdAt) > Date.now() - DAY);
  });

  it("takes a store as well, and fails where there is no backup", async () => {
    const directory = await temporaryDirectory();
    const [, newest = ""] = await makeStore(directory, ["older", "newest"]);
    const { code, stdout, stderr } = await raftSnapshots(
      ["restore-drill", directory],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^restored ${newest} in .*, 6 B,`));
    const empty = await temporaryDirectory();
    await makeStore(empty, []);
    for (const place of [empty, join(empty, "none")]) {
      assert.equal((await raftSnapshots(["restore-drill", place])).code, 1);
    }
  });
});
