import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { archive } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

async function edit(
  path: string,
  change: (content: Uint8Array) => void,
): Promise<void> {
  const content = await readFile(path);
  change(content);
  await writeFile(path, content);
}

describe("raft-snapshots verify", () => {
  it("checks all snapshots, newest first", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older, newer] = await makeStore(directory, [
      "123456789",
      new Uint8Array(1536),
    ]);
    const { code, stdout, stderr } = await raftSnapshots(["verify", directory]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, `ok   ${newer}  1.5 KiB\nok   ${older}  9 B\n`);
  });

  it("finds a changed byte and exits with 1", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "bcd"]);
    await edit(join(directory, "snapshots", newer, "state.bin"), (state) => {
      state[1] = 0;
    });
    const { code, stdout, stderr } = await raftSnapshots(["verify", directory]);
    assert.equal(code, 1);
    const [first, why, second] = stdout.split("\n");
    assert.equal(first, `bad  ${newer}  3 B`);
    assert.match(why ?? "", /^ {5}Cannot trust state\.bin/);
    assert.equal(second, `ok   ${older}  1 B`);
    assert.match(
      stdout,
      new RegExp(`\nnewest good: ${older} \\(index 10\\)\n$`),
    );
    assert.equal(stderr, "raft-snapshots: 1 of 2 snapshots: bad\n");
  });

  it("reports snapshots that list leaves out", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "b"]);
    await writeFile(join(directory, "snapshots", newer, "meta.json"), "{");
    const path = join(directory, "snapshots", older, "meta.json");
    const meta = await readFile(path, "utf8");
    await writeFile(path, meta.replace('"Version":1', '"Version":2'));
    // By its checksums it would be a changed meta.json, whatever it says.
    await rm(join(directory, "snapshots", older, "blocks.crc64"));
    const { code, stdout } = await raftSnapshots([
      "verify",
      directory,
      "--json",
    ]);
    assert.equal(code, 1);
    const [first, second] = JSON.parse(stdout).snapshots;
    assert.deepEqual(
      [first.id, first.ok, first.size, first.errors[0].reason],
      [newer, false, null, "meta"],
    );
    assert.deepEqual([second.id, second.ok], [older, false]);
    assert.match(second.errors[0].message, /version 2/);
    const { stdout: text } = await raftSnapshots(["verify", directory, newer]);
    assert.match(
      text,
      /^bad .*\n {5}Cannot trust .*\n {5}state\.bin: not checked\n$/,
    );
  });

  it("checks only the snapshots that are named", async (t) => {
    const directory = await temporaryDirectory(t);
    const [older = "", newer = ""] = await makeStore(directory, ["a", "bcd"]);
    await edit(join(directory, "snapshots", newer, "state.bin"), (state) => {
      state[1] = 0;
    });
    const { code, stdout } = await raftSnapshots(["verify", directory, older]);
    assert.deepEqual([code, stdout], [0, `ok   ${older}  1 B\n`]);
  });

  it("prints the results as JSON with --json", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["123456789"]);
    await edit(join(directory, "snapshots", id, "state.bin"), (state) => {
      state[0] = 0;
    });
    const { code, stdout } = await raftSnapshots([
      "verify",
      directory,
      "--json",
    ]);
    assert.equal(code, 1);
    const [report] = JSON.parse(stdout).snapshots;
    const [error] = report.errors;
    assert.deepEqual([report.id, report.ok, report.size], [id, false, 9]);
    const store = await openFileSnapshotStore(directory, { readOnly: true });
    const { errors } = await store.verify(id);
    await store.close();
    assert.deepEqual(error, JSON.parse(JSON.stringify(errors[0])));
    assert.deepEqual(
      [error.code, error.reason, error.offset, error.expected],
      ["ERR_SNAPSHOT_CORRUPT", "block", 0, "995dc9bbdf1939fa"],
    );
    assert.match(error.actual, /^[0-9a-f]{16}$/);
  });

  it("skips a directory that is not a snapshot, with a warning", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    await mkdir(join(directory, "snapshots", "notes"));
    const { code, stdout, stderr } = await raftSnapshots(["verify", directory]);
    assert.deepEqual([code, stdout], [0, `ok   ${id}  1 B\n`]);
    assert.match(stderr, /^raft-snapshots: .*notes: not a snapshot\n$/);
  });

  it("continues after an archive that can't be read", async (t) => {
    const directory = await temporaryDirectory(t);
    const [good, missing, bad] = ["good", "missing", "bad"].map((name) =>
      join(directory, `${name}.snap`)
    ) as [string, string, string];
    await writeFile(good, archive());
    await writeFile(bad, archive({ sums: "" }));
    const args = ["verify", good, missing, bad];
    const { code, stdout, stderr } = await raftSnapshots(args);
    assert.equal(code, 1);
    assert.deepEqual(stdout.match(/^(ok|bad|\?{3})/gm), ["ok", "???", "bad"]);
    assert.match(stdout, /missing\.snap: no such file or directory$/m);
    assert.equal(
      stderr,
      "raft-snapshots: 1 of 3 snapshots: bad; " +
        "1 of 3 snapshots: could not be checked\n",
    );
    const json = await raftSnapshots([...args, "--json"]);
    const found: { ok: boolean; state: string }[] =
      JSON.parse(json.stdout).snapshots;
    assert.deepEqual(found.map(({ ok }) => ok), [true, false, false]);
    assert.deepEqual(
      found.map(({ state }) => state),
      ["ok", "unchecked", "bad"],
    );
    const unread = await raftSnapshots(["verify", good, missing]);
    assert.equal(unread.code, 3, "none of these is known to be bad");
  });

  it("does not call a snapshot of an unknown version bad, and exits with 3", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    const path = join(directory, "snapshots", id);
    const meta = await readFile(join(path, "meta.json"), "utf8");
    await writeFile(
      join(path, "meta.json"),
      meta.replace('"Version":1', '"Version":2'),
    );
    await rm(join(path, "blocks.crc64"));
    const { code, stdout } = await raftSnapshots(["verify", directory]);
    assert.equal(code, 3);
    assert.match(stdout, /^\?{3} .*\n {5}Cannot use .*version 2/);
  });

  it("shows control characters of a terminal as text", async (t) => {
    const directory = await temporaryDirectory(t);
    const name = "a\u001b[31m.snap";
    const file = join(directory, name);
    const texts = ["\u001b[31m", "\u009b31m", "\u202e", "\u007f"];
    for (
      const meta of [
        ...texts,
        ...texts.map((it) => `{"Version":"${it}"}`),
      ]
    ) {
      await writeFile(file, archive({ meta: `${meta}\n` }));
      const { stdout, stderr } = await raftSnapshots(["verify", file]);
      // deno-lint-ignore no-control-regex -- this is about such characters
      assert.doesNotMatch(stdout + stderr, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      assert.match(stdout, /a\\u001b\[31m\.snap/);
    }
  });

  it("fails for a snapshot that does not exist", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const { code, stderr } = await raftSnapshots([
      "verify",
      directory,
      "1-2-3",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^raft-snapshots: .*1-2-3.*\n$/);
  });
});
