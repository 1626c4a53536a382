/**
 * Every command on a store in a bucket.
 */

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { type ServedS3, serveS3 } from "../support/s3/serve.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { golden } from "./snapshot_server.ts";
import { raftSnapshots } from "./raft_snapshots.ts";

const DAY = 86_400_000;

describe("the command line with a bucket", () => {
  let served: ServedS3;
  let count = 0;

  before(async () => {
    served = await serveS3();
  });
  after(() => served.close());

  const newPlace = () => `s3://bucket/place-${++count}`;

  /** Runs a command with the keys in the environment. */
  async function run(args: readonly string[], input = "") {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_S3: served.endpoint,
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    return await raftSnapshots(args, input, { env });
  }

  async function mustRun(args: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await run(args, input);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  const save = (place: string, index: number, ...args: string[]) =>
    mustRun(
      ["save", place, "--index", `${index}`, "--term", "3", ...args],
      `state ${index}`,
    );

  it("saves, lists, reads, inspects and verifies", async () => {
    const place = newPlace();
    const first = await save(place, 1);
    const second = await save(place, 2);
    const listed = await mustRun(["list", place]);
    assert.match(listed, new RegExp(`ID[^]*\n${second}[^]*\n${first} `));
    assert.equal(await mustRun(["cat", place]), "state 2");
    assert.equal(await mustRun(["cat", place, first]), "state 1");
    assert.match(
      await mustRun(["inspect", place]),
      new RegExp(`Path +${place}/snapshots/${second}\n`),
    );
    assert.match(await mustRun(["verify", place]), new RegExp(`${first}`));
    assert.match(
      (await run(["list", newPlace()])).stderr,
      /no snapshots in s3:/,
    );
    assert.match(
      (await run(["cat", `${place}/empty`])).stderr,
      /There is no snapshot in s3:\/\/bucket\/place-\d+\/empty\/snapshots/,
    );
  });

  it("keeps as many as --retain says", async () => {
    const place = newPlace();
    await save(place, 1);
    const second = await save(place, 2);
    // Another process may rely on the first for an hour.
    served.memory.serverTime = () => Date.now() + DAY / 2;
    try {
      const third = await save(place, 3, "--retain", "2");
      const { snapshots } = JSON.parse(
        await mustRun(["list", place, "--json"]),
      );
      const ids = snapshots.map(({ id }: { id: string }) => id);
      assert.deepEqual(ids, [third, second]);
    } finally {
      served.memory.serverTime = Date.now;
    }
  });

  it("seals, exports and imports", async (t) => {
    const place = newPlace();
    const id = await save(place, 1);
    const key = place.slice("s3://bucket/".length);
    served.memory.objects.delete(`${key}/snapshots/${id}/blocks.crc64`);
    assert.equal(await mustRun(["seal", place, id]), `sealed ${id}`);
    const archive = join(await temporaryDirectory(t), "a.snap");
    await mustRun(["export", place, id, archive]);
    const imported = await mustRun(["import", newPlace(), archive]);
    assert.match(imported, /^3-1-\d+$/);
  });

  it("finds a corrupt snapshot", async () => {
    const place = newPlace();
    const id = await save(place, 1);
    const key = `${
      place.slice("s3://bucket/".length)
    }/snapshots/${id}/state.bin`;
    const object = served.memory.objects.get(key);
    object?.body.fill(0);
    const { code, stdout } = await run(["verify", place]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`bad +${id}|${id} +bad`));
  });

  it("copies between directories and buckets, and nothing twice with --if-missing", async (t) => {
    const directory = await temporaryDirectory(t);
    const place = newPlace();
    const id = await save(directory, 1);
    const copied = await mustRun(["copy", directory, place, id]);
    const again = ["copy", directory, place, "--if-missing"];
    assert.equal(await mustRun(again), copied);
    assert.notEqual(await mustRun(["copy", directory, place]), copied);
    assert.equal(await mustRun(["cat", place]), "state 1");
    const other = newPlace();
    await mustRun(["copy", place, other]);
    const back = await temporaryDirectory(t);
    const local = await mustRun(["copy", other, back]);
    const path = join(back, "snapshots", local, "state.bin");
    assert.equal(await readFile(path, "utf8"), "state 1");
    assert.equal((await readdir(join(back, "snapshots"))).length, 1);
  });

  it("cleans unfinished snapshots that are older than a day, or than --older-than", async () => {
    const place = newPlace();
    const key = `${place.slice("s3://bucket/".length)}/snapshots/3-1-5/claim`;
    const object = { body: new Uint8Array(1), etag: '"e"', kept: {} };
    served.memory.objects.set(key, {
      ...object,
      modified: Date.now() - DAY / 2,
    });
    const kept = await mustRun(["clean", place, "--yes"]);
    assert.equal(kept, "");
    assert.ok(served.memory.objects.has(key));
    const args = ["clean", place, "--yes", "--older-than", "1h"];
    assert.match(await mustRun(args), /^removed 1 unfinished snapshot/);
    assert.ok(!served.memory.objects.has(key));
  });

  it("takes the options before and after the command", async () => {
    const place = newPlace();
    const options = ["--endpoint", served.endpoint, "--region", "us-east-1"];
    const keys = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
    const env = { ...process.env, ...keys, AWS_ENDPOINT_URL_S3: "" };
    for (
      const args of [[...options, "list", place], ["list", place, ...options]]
    ) {
      const { code, stderr } = await raftSnapshots(args, "", { env });
      assert.equal(code, 0, stderr);
    }
    const wrong = ["list", place, ...options, "--region", "eu-west-1"];
    const { code, stderr } = await raftSnapshots(wrong, "", { env });
    assert.equal(code, 3);
    assert.match(
      stderr,
      /AuthorizationHeaderMalformed.*give the bucket's region/,
    );
  });

  it("gets keys from a command, and shows none of them", async (t) => {
    const place = newPlace();
    const script = join(await temporaryDirectory(t), "keys.json");
    const env = { ...process.env, AWS_ENDPOINT_URL_S3: served.endpoint };
    const list = async (printed: unknown) => {
      await writeFile(script, JSON.stringify(printed));
      const command = ["--credentials-command", `cat '${script}'`];
      return await raftSnapshots(["list", place, ...command], "", { env });
    };
    const keys = {
      Version: 1,
      AccessKeyId: "key",
      SecretAccessKey: "secret",
      Expiration: "2099-01-01T00:00:00Z",
    };
    assert.equal((await list(keys)).code, 0);
    const hidden = { ...keys, SecretAccessKey: "hidden" };
    for (
      const wrong of [hidden, { ...hidden, Version: 2 }, "hidden", {
        ...hidden,
        Expiration: "soon",
      }]
    ) {
      const { code, stderr } = await list(wrong);
      assert.equal(code, 3);
      assert.match(stderr, /credentials|SignatureDoesNotMatch/);
      assert.ok(!stderr.includes("hidden"), stderr);
    }
    const failing = ["--credentials-command", "echo no such role >&2; exit 3"];
    const failed = await raftSnapshots(["list", place, ...failing], "", {
      env,
    });
    assert.match(
      failed.stderr,
      /the command ended with exit code 3; run it by hand to see why/,
    );
    assert.doesNotMatch(failed.stderr, /no such role/);
    const empty = { ...keys, SessionToken: null, Expiration: null };
    assert.equal((await list(empty)).code, 0);
    const none = ["--credentials-command", " "];
    assert.equal((await raftSnapshots(["list", place, ...none])).code, 2);
  });

  it("finds the store that a place below it leads to", async () => {
    const place = newPlace();
    const id = await save(place, 1);
    for (
      const path of [
        `${place}/snapshots`,
        `${place}/snapshots/`,
        `${place}/snapshots/${id}`,
        `${place}/snapshots/${id}/state.bin`,
      ]
    ) {
      assert.match(await mustRun(["inspect", path]), new RegExp(`ID +${id}`));
    }
    assert.match(await mustRun(["list", `${place}/snapshots`]), new RegExp(id));
    const args = ["--index", "2", "--term", "3"];
    const refused = await run(["save", `${place}/snapshots`, ...args], "x");
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /part of the store in .*: give that directory/,
    );
    // A prefix may have that name.
    const own = `${newPlace()}/snapshots`;
    const other = await save(own, 1);
    assert.match(await mustRun(["list", own]), new RegExp(other));
  });

  it("is about a store's snapshots, also beside archives", async (t) => {
    const place = newPlace();
    const id = await save(place, 1);
    const directory = await temporaryDirectory(t);
    await writeFile(
      join(directory, "10-1700000000000.snap"),
      await golden("consul"),
    );
    const copied = await mustRun(["copy", directory, newPlace()]);
    assert.match(copied, /\.snap$/);
    // In a store, an archive becomes a snapshot.
    const imported = await mustRun(["copy", directory, place]);
    assert.match(imported, /^3-10-\d+$/);
    const [archive = ""] = [...served.memory.objects.keys()]
      .filter((key) => key.endsWith(".snap"));
    const object = served.memory.objects.get(archive);
    assert.ok(object);
    const beside = place.replace("s3://bucket/", "");
    served.memory.objects.set(`${beside}/10-1700000000000.snap`, object);
    for (const command of ["list", "verify", "doctor"]) {
      const printed = await mustRun([command, place]);
      assert.match(printed, new RegExp(id), command);
      assert.doesNotMatch(printed, /\.snap/, command);
    }
    const backup = ["backup", "--consul", "http://127.0.0.1:1"];
    const refused = await run([...backup, "--to", place]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /found a store of snapshots there/);
  });

  it("prunes, deletes and examines, and takes latest for an ID", async () => {
    const place = newPlace();
    const ids = [await save(place, 1), await save(place, 2)];
    const third = await save(place, 3);
    const health = JSON.parse(await mustRun(["doctor", place, "--json"]));
    assert.deepEqual([health.ok, health.restores.id], [true, third]);
    assert.deepEqual([health.lock, health.usedBytes], [null, 21]);
    assert.equal(await mustRun(["cat", place, "latest"]), "state 3");
    const pruned = await mustRun(["prune", place, "--keep-last", "2"]);
    assert.match(pruned, new RegExp(`^remove +${ids[0]} `, "m"));
    assert.equal((await run(["delete", place, "latest"])).code, 1);
    await mustRun(["delete", place, ids[1] ?? ""]);
    const { snapshots } = JSON.parse(
      await mustRun(["list", place, "--order", "taken", "--json"]),
    );
    assert.deepEqual(snapshots.map(({ id }: { id: string }) => id), [third]);
    assert.equal((await run(["unlock", place])).code, 2);
  });

  it("rejects URLs that do not name a place in a bucket", async () => {
    for (const place of ["s3://", "s3://bucket/../x", "s3:bucket"]) {
      const { code, stderr } = await run(["list", place]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /Cannot open a store in object storage/);
    }
  });
});
