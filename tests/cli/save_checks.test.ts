import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  makeStore,
  raftSnapshots,
  runBy,
  snapshotNames,
} from "./raft_snapshots.ts";

const AT = ["--index", "99", "--term", "3"];
/** With this, an empty snapshot would replace all others if it were published. */
const RETAIN = ["--retain", "1"];
const CHECK = "123456789";
const CHECK_CRC = "995dc9bbdf1939fa";

const skip = process.platform === "win32" ? "needs a POSIX shell" : false;

/** Runs a shell script in which `"$@"` is the tool with its arguments. */
async function runInShell(script: string, args: readonly string[]) {
  return await runBy(["sh", "-c", script, "sh"], args);
}

async function refuses(
  result: { readonly code: number | null; readonly stderr: string },
  message: RegExp,
  directory: string,
  ids: readonly string[],
): Promise<void> {
  assert.equal(result.code, 1);
  assert.match(result.stderr, message);
  assert.deepEqual(await snapshotNames(directory), [...ids]);
}

const EMPTY =
  /^raft-snapshots: The state is empty and was not saved: .*--allow-empty.*\n$/;

describe("raft-snapshots save", () => {
  it("refuses an empty state, and deletes nothing for it", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeStore(directory, ["a", "b"]);
    const file = join(directory, "empty");
    await writeFile(file, "");
    const args = ["save", directory, ...AT, ...RETAIN];
    for (const more of [[], ["-"], [file]]) {
      const result = await raftSnapshots([...args, ...more], "");
      await refuses(result, EMPTY, directory, ids);
    }
  });

  for (
    const [what, script] of [
      ["a closed stdin", '"$@" <&-'],
      ["/dev/null as stdin", '"$@" </dev/null'],
      ["a pipe whose writer has failed", 'false | "$@"'],
    ] as const
  ) {
    it(`refuses ${what}`, { skip }, async (t) => {
      const directory = await temporaryDirectory(t);
      const ids = await makeStore(directory, ["a", "b"]);
      const args = ["save", directory, ...AT, ...RETAIN];
      const result = await runInShell(script, args);
      await refuses(result, EMPTY, directory, ids);
    });
  }

  it("removes the directories that it has made when it fails", async (t) => {
    const folder = await temporaryDirectory(t);
    const { code } = await raftSnapshots(
      ["save", join(folder, "new", "store"), ...AT],
    );
    assert.equal(code, 1);
    assert.deepEqual(await readdir(folder), []);
    await raftSnapshots(["save", folder, ...AT]);
    assert.deepEqual(await readdir(folder), []);
  });

  it("saves an empty state with --allow-empty", async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stdout } = await raftSnapshots(
      ["save", directory, ...AT, "--allow-empty", "--size", "0"],
    );
    assert.equal(code, 0);
    assert.deepEqual(await snapshotNames(directory), [stdout.trimEnd()]);
  });

  it("refuses a directory, and makes no store for it", async (t) => {
    const folder = await temporaryDirectory(t);
    const { code, stdout, stderr } = await raftSnapshots(
      ["save", join(folder, "store"), folder, ...AT, "--allow-empty"],
    );
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      `raft-snapshots: Cannot read ${folder}: is a directory\n`,
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it("refuses a directory as stdin", { skip }, async (t) => {
    const folder = await temporaryDirectory(t);
    for (const command of ["save", "import"]) {
      const more = command === "save" ? [...AT, "--allow-empty"] : ["-"];
      const { code, stderr } = await runInShell(
        '"$@" </',
        [command, join(folder, "store"), ...more],
      );
      assert.equal(code, 1);
      assert.equal(
        stderr,
        "raft-snapshots: Cannot read stdin: is a directory\n",
      );
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it("saves a state of the expected size and CRC-64", async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stderr } = await raftSnapshots(
      [
        ...["save", directory, ...AT],
        ...["--size", "9", "--crc64", CHECK_CRC.toUpperCase()],
      ],
      CHECK,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const { stdout } = await raftSnapshots(["inspect", directory]);
    assert.match(stdout, new RegExp(`^CRC-64 +${CHECK_CRC}$`, "m"));
  });

  it("refuses a state of another size or CRC-64", async (t) => {
    const directory = await temporaryDirectory(t);
    const ids = await makeStore(directory, ["a", "b"]);
    const args = ["save", directory, ...AT, ...RETAIN];
    const other = "0123456789abcdef";
    for (
      const [option, value, message] of [
        ["--size", "10", /found 9 bytes, expected 10 bytes\n$/],
        ["--size", "8", /found 9 bytes or more, expected 8 bytes\n$/],
        ["--size", "0", /found 9 bytes or more, expected 0 bytes\n$/],
        ["--crc64", other, /found 995dc9bbdf1939fa, expected 0123456789abcdef/],
      ] as const
    ) {
      const result = await raftSnapshots([...args, option, value], CHECK);
      await refuses(result, message, directory, ids);
    }
  });
});

describe("raft-snapshots", () => {
  it("says in its help that --size detects a producer that failed", async () => {
    const { stdout } = await raftSnapshots(["save", "--help"]);
    assert.match(stdout.replace(/\s+/g, " "), /failed half-way: give --size/);
  });
});
