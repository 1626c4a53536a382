import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openFileSnapshotStore } from "@raft/snapshots";
import { shellQuote } from "../../src/cli/shell_quote.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  makeStore,
  makeUnfinished,
  raftSnapshots,
  runBy,
  snapshotNames,
} from "./raft_snapshots.ts";

const YOUNG = "3-20-1.tmp";
const OLD = "3-20-2.tmp";
const OURS = "3-20-3.tmp";
const DELETED = "3-20-4.deleted.tmp";
const CORRUPT = "3-20-5.corrupt.tmp";

/** A store of one snapshot with all that may be left unfinished in it. */
async function storeWithLeftovers(directory: string): Promise<string> {
  const [id = ""] = await makeStore(directory, ["a"]);
  await makeUnfinished(directory, YOUNG);
  await makeUnfinished(directory, OLD, { ageHours: 2 });
  await makeUnfinished(directory, OURS, { isOurs: true });
  await makeUnfinished(directory, DELETED);
  await makeUnfinished(directory, CORRUPT, { ageHours: 2 });
  return id;
}

const all = (id: string) => [id, YOUNG, OLD, OURS, DELETED, CORRUPT].sort();

const script = "/usr/bin/script";
const onTerminal = {
  skip: process.platform === "linux" && existsSync(script)
    ? false
    : "needs util-linux's script to have a terminal",
} as const;

const skip = process.platform === "win32" ? "needs a POSIX shell" : false;

/** Runs the tool on a terminal of its own, on which the answer is typed. */
async function cleanOnTerminal(
  directory: string,
  answer: string,
  options: readonly string[] = [],
) {
  const main = new URL("../../src/cli/main.ts", import.meta.url);
  const flags = runtime.name === "deno" ? ["run", "--quiet", "-A"] : [];
  const args = [process.execPath, ...flags, fileURLToPath(main)];
  const command = [...args, "clean", directory, ...options]
    .map((arg) => `'${arg}'`).join(" ");
  const child = spawn(script, ["-qec", command, "/dev/null"]);
  const shown: string[] = [];
  child.stdout.on("data", (chunk) => {
    shown.push(String(chunk));
    if (shown.join("").includes("[y/N]")) child.stdin.end(answer);
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await text(child.stderr);
  return { code: await ended, shown: shown.join("") };
}

describe("raft-snapshots clean", () => {
  it("removes files that no program is writing, and says which stay and why", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await storeWithLeftovers(directory);
    const { code, stdout, stderr } = await raftSnapshots([
      "clean",
      directory,
      "--yes",
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      "removed 3 unfinished snapshots or deletions, 3.0 KiB\n",
    );
    assert.match(stderr, /: Removed 3-20-2\.tmp: an unfinished snapshot/);
    assert.match(stderr, /: Removed 3-20-3\.tmp: an unfinished snapshot/);
    assert.match(stderr, /: Removed 3-20-4\.deleted\.tmp: the rest of a del/);
    assert.match(stderr, /: Left 3-20-1\.tmp alone: it was changed less than/);
    assert.deepEqual(
      await snapshotNames(directory),
      [id, YOUNG, CORRUPT].sort(),
    );
  });

  it("removes files that are older than --older-than says", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await storeWithLeftovers(directory);
    for (
      const [age, left] of [
        ["1d", [id, YOUNG, OLD, CORRUPT]],
        ["119m", [id, YOUNG, CORRUPT]],
        ["0s", [id, CORRUPT]],
      ] as const
    ) {
      const args = ["clean", directory, "--yes", "--older-than", age];
      assert.equal((await raftSnapshots(args)).code, 0);
      assert.deepEqual(await snapshotNames(directory), [...left].sort(), age);
    }
  });

  it("removes nothing without --yes when there is no terminal to ask on", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await storeWithLeftovers(directory);
    const { code, stdout, stderr } = await raftSnapshots(
      ["clean", directory],
      "y\n",
    );
    assert.equal(code, 2);
    assert.match(
      stdout,
      /^3-20-1\.tmp +1\.0 KiB .* stays, because it may be under way$/m,
    );
    assert.match(stdout, /^3-20-2\.tmp +1\.0 KiB /m);
    assert.match(stderr, /nothing is removed without --yes/);
    assert.deepEqual(await snapshotNames(directory), all(id));
  });

  it(
    "asks on a terminal, and removes only when the answer is yes",
    onTerminal,
    async (t) => {
      const directory = await temporaryDirectory(t);
      const id = await storeWithLeftovers(directory);
      for (const answer of ["n\n", "\n", "yesterday\n"]) {
        const { code, shown } = await cleanOnTerminal(directory, answer);
        assert.equal(code, 0, shown);
        assert.match(shown, /Remove 3 unfinished .*\? \[y\/N\]/);
        assert.match(shown, /nothing was removed/);
        assert.deepEqual(await snapshotNames(directory), all(id));
      }
      const { shown: json } = await cleanOnTerminal(
        directory,
        "n\n",
        ["--json"],
      );
      const { removed, left } = JSON.parse(json.slice(json.indexOf("\n{")));
      assert.deepEqual([removed.length, left.length], [0, 4]);
      const { code, shown } = await cleanOnTerminal(directory, "y\n");
      assert.equal(code, 0, shown);
      assert.deepEqual(
        await snapshotNames(directory),
        [id, YOUNG, CORRUPT].sort(),
      );
    },
  );

  it("removes nothing while the store is locked", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await storeWithLeftovers(directory);
    const store = await openFileSnapshotStore(directory, { sweep: false });
    try {
      const args = ["clean", directory, "--yes"];
      const { code, stderr } = await raftSnapshots(args);
      assert.equal(code, 1);
      assert.match(stderr, /Cannot lock .*: held by /);
      const names = await snapshotNames(directory);
      assert.deepEqual(names.filter((name) => !name.startsWith(".lock")), [
        ...all(id),
      ]);
    } finally {
      await store.close();
    }
  });

  it("reports that there is nothing to do, and makes no store", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const { code, stdout, stderr } = await raftSnapshots(["clean", directory]);
    assert.deepEqual([code, stdout], [0, ""]);
    assert.match(stderr, /found nothing unfinished in /);
    const missing = join(directory, "missing");
    await mkdir(missing);
    assert.equal((await raftSnapshots(["clean", missing])).code, 1);
    assert.ok(!existsSync(join(missing, "snapshots")));
  });

  it("prints the removed and the remaining snapshots with --json", async (t) => {
    const directory = await temporaryDirectory(t);
    await storeWithLeftovers(directory);
    const args = ["clean", directory, "--yes", "--json"];
    const { code, stdout } = await raftSnapshots(args);
    assert.equal(code, 0);
    const { removed, left } = JSON.parse(stdout);
    const ids = (found: { id: string }[]) => found.map(({ id }) => id);
    assert.deepEqual(ids(removed), ["3-20-4", "3-20-3", "3-20-2"]);
    assert.deepEqual(ids(left), ["3-20-1"]);
  });
});

describe("raft-snapshots list, verify and inspect", () => {
  const COMMANDS = ["list", "verify", "inspect"] as const;

  it("report the remains of a crash in one line", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await storeWithLeftovers(directory);
    for (const command of COMMANDS) {
      const { code, stderr } = await raftSnapshots([command, directory]);
      assert.equal(code, 0);
      assert.equal(
        stderr,
        "raft-snapshots: 3 unfinished snapshots or deletions, 3.0 KiB, left " +
          `by a crash; raft-snapshots clean ${directory} removes them; ` +
          "1 more may be under way\n",
        command,
      );
    }
    assert.deepEqual(await snapshotNames(directory), all(id));
  });

  it(
    "quote the directory in the command that they advise",
    { skip },
    async (t) => {
      const folder = await temporaryDirectory(t);
      const directory = join(folder, `it's a "store"; $HOME \\ &`);
      await makeStore(directory, ["a"]);
      for (const command of COMMANDS) {
        await makeUnfinished(directory, OURS, { isOurs: true });
        const { stderr } = await raftSnapshots([command, directory]);
        const advice = /; raft-snapshots (clean .*) removes them/;
        const [, args = ""] = advice.exec(stderr) ?? [];
        const script = `"$@" ${args} --yes`;
        const { code } = await runBy(["sh", "-c", script, "sh"], []);
        assert.equal(code, 0, stderr);
        assert.ok(!existsSync(join(directory, "snapshots", OURS)));
      }
      assert.equal(shellQuote("-a"), "./-a");
      assert.equal(shellQuote("it's\n"), "$'it\\'s\\u000a'");
    },
  );

  it("list it in --json, and distinguish leftovers from files that may be in use", async (t) => {
    const directory = await temporaryDirectory(t);
    await storeWithLeftovers(directory);
    for (const command of COMMANDS) {
      const args = [command, directory, "--json"];
      const { unfinished } = JSON.parse((await raftSnapshots(args)).stdout);
      const [newest] = unfinished;
      assert.match(newest.changedAt, /^\d{4}-\d\d-\d\dT/);
      assert.deepEqual(
        { ...newest, changedAt: "" },
        {
          id: "3-20-4",
          name: "3-20-4.deleted.tmp",
          state: "deleted",
          size: 1024,
          changedAt: "",
          isForeign: false,
          mayBeUnderWay: false,
        },
      );
      assert.deepEqual(
        unfinished.map((it: { mayBeUnderWay: boolean }) => it.mayBeUnderWay),
        [false, false, false, true],
      );
    }
  });

  it("never call a file a leftover that a running program may be writing", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const store = await openFileSnapshotStore(directory);
    try {
      const sink = await store.create({
        index: 99,
        term: 3,
        configuration: { servers: [] },
        configurationIndex: 0,
      });
      await makeUnfinished(directory, YOUNG);
      for (const command of COMMANDS) {
        const { stdout, stderr } = await raftSnapshots(
          [command, directory, "--json"],
        );
        assert.equal(stderr, "", command);
        const { unfinished } = JSON.parse(stdout);
        assert.deepEqual(
          unfinished.map((it: { mayBeUnderWay: boolean }) => it.mayBeUnderWay),
          [true, true],
        );
      }
      await sink.cancel();
    } finally {
      await store.close();
    }
  });
});
