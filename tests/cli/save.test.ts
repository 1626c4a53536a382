import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { listed } from "../support/listed.ts";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  endBySignal,
  makeStore,
  raftSnapshots,
  snapshotNames,
  startRaftSnapshots,
} from "./raft_snapshots.ts";

const AT = ["--index", "10", "--term", "3"];
const UINT64_MAX = "18446744073709551615";

async function stateOf(directory: string, id: string): Promise<Uint8Array> {
  const path = join(directory, "snapshots", id, "state.bin");
  return new Uint8Array(await readFile(path));
}

/** Resolves once the tool has taken more than any pipe holds. */
function feed(child: ChildProcess): Promise<unknown> {
  const { stdin } = child;
  assert.ok(stdin);
  stdin.on("error", () => {}); // it is going to be closed in our face
  return new Promise((resolve) => {
    stdin.write(new Uint8Array(8 * 1024 * 1024), resolve);
  });
}

describe("raft-snapshots save", () => {
  it("saves stdin and prints only the ID", async (t) => {
    const directory = await temporaryDirectory(t);
    const state = bytes(3 * 1024 * 1024 + 17, 1);
    const { code, stdout, stderr } = await raftSnapshots(
      ["save", directory, ...AT],
      state,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const id = stdout.trimEnd();
    assert.equal(stdout, `${id}\n`);
    assert.deepEqual(await snapshotNames(directory), [id]);
    assert.deepEqual(await stateOf(directory, id), state);
  });

  it("saves a file, and takes - for stdin", async (t) => {
    const directory = await temporaryDirectory(t);
    const file = join(directory, "state");
    await writeFile(file, "from the file");
    const first = await raftSnapshots(["save", directory, file, ...AT]);
    const second = await raftSnapshots(["save", directory, "-", ...AT], "in");
    assert.deepEqual([first.code, second.code], [0, 0]);
    const texts = [first, second].map(async ({ stdout }) =>
      new TextDecoder().decode(await stateOf(directory, stdout.trimEnd()))
    );
    assert.deepEqual(await Promise.all(texts), ["from the file", "in"]);
  });

  it("keeps every bit of uint64, and the servers as given", async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stderr } = await raftSnapshots([
      ...["save", directory],
      ...["--index", UINT64_MAX, "--term", "9007199254740993"],
      ...["--configuration-index", "9007199254740995"],
      ...["--server", "a=10.0.0.1:7000"],
      ...["--server", "nonvoter:b=[::1]:7000"],
      ...["--server", "staging:voter:c=host=7000"],
    ], "state");
    assert.deepEqual([code, stderr], [0, ""]);
    const [meta] = await listed(directory);
    assert.equal(meta?.index, BigInt(UINT64_MAX));
    assert.equal(meta?.term, 9007199254740993n);
    assert.equal(meta?.configurationIndex, 9007199254740995n);
    assert.deepEqual(meta?.configuration.servers, [
      { suffrage: "voter", id: "a", address: "10.0.0.1:7000" },
      { suffrage: "nonvoter", id: "b", address: "[::1]:7000" },
      { suffrage: "staging", id: "voter:c", address: "host=7000" },
    ]);
  });

  it("prints the snapshot with --json, uint64 as strings", async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stdout } = await raftSnapshots(
      ["save", directory, "--index", UINT64_MAX, "--term", "3", "--json"],
      "123456789",
    );
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`"index": "${UINT64_MAX}",`));
    const [meta] = await listed(directory);
    const { id, size, crc, term } = JSON.parse(stdout);
    assert.deepEqual(
      [id, size, crc, term],
      [meta?.id, 9, "995dc9bbdf1939fa", "3"],
    );
  });

  it("retains as many snapshots as --retain says", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a", "b", "c"]);
    const { code, stdout } = await raftSnapshots(
      ["save", directory, "--index", "99", "--term", "3", "--retain", "1"],
      "d",
    );
    assert.equal(code, 0);
    assert.deepEqual(await snapshotNames(directory), [stdout.trimEnd()]);
  });

  it("makes no store for a file that is not there", async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stderr } = await raftSnapshots([
      ...["save", join(directory, "store"), join(directory, "none"), ...AT],
    ]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `raft-snapshots: Cannot read ${join(directory, "none")}: ` +
        "no such file or directory\n",
    );
    assert.deepEqual(await readdir(directory), []);
  });

  const noFile = process.platform === "linux"
    ? false
    : "needs a file that can be opened and not read, such as /proc/self/mem";

  it("leaves no trace when the input fails", { skip: noFile }, async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, []);
    const { code, stdout, stderr } = await raftSnapshots(
      ["save", directory, "/proc/self/mem", ...AT],
    );
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(
      stderr,
      /^raft-snapshots: Cannot read \/proc\/self\/mem: .*\n$/,
    );
    assert.deepEqual(await snapshotNames(directory), []);
  });

  for (
    const [signal, exitCode] of [["SIGTERM", 143], ["SIGINT", 130]] as const
  ) {
    it(`leaves no trace and no lock when ${signal} ends it`, async (t) => {
      const directory = await temporaryDirectory(t);
      await makeStore(directory, []);
      const child = startRaftSnapshots(["save", directory, ...AT]);
      await feed(child);
      const [writing] = await snapshotNames(directory);
      assert.match(writing ?? "", /\.tmp$/);
      const { code } = await endBySignal(child, signal);
      assert.equal(code, exitCode);
      assert.deepEqual(await snapshotNames(directory), []);
      const again = await raftSnapshots(["save", directory, ...AT], "x");
      assert.deepEqual([again.code, again.stderr], [0, ""]);
    });
  }

  it("removes the directory that it has made when SIGTERM ends it", async (t) => {
    const folder = await temporaryDirectory(t);
    const directory = join(folder, "store");
    const child = startRaftSnapshots(["save", directory, ...AT]);
    await feed(child);
    assert.deepEqual(await readdir(folder), ["store"]);
    const { code } = await endBySignal(child, "SIGTERM");
    assert.equal(code, 143);
    assert.deepEqual(await readdir(folder), []);
  });

  it("refuses a store that another process has", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory);
    try {
      const { code, stdout, stderr } = await raftSnapshots(
        ["save", directory, ...AT],
        "x",
      );
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(
        stderr,
        /^raft-snapshots: Cannot lock .*held by process.*\n$/,
      );
    } finally {
      await store.close();
    }
  });
});
