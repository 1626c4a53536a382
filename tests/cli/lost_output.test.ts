import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, runBy } from "./raft_snapshots.ts";

const needsProc = process.platform === "linux"
  ? false
  : "needs /proc to tell a closed stdout from /dev/null";
const needsFull = existsSync("/dev/full") ? false : "needs /dev/full";

/** Runs the tool with a redirection of a POSIX shell. */
async function redirected(redirection: string, args: readonly string[]) {
  return await runBy(["sh", "-c", `"$@" ${redirection}`, "sh"], args);
}

describe("raft-snapshots cat, and export to -", () => {
  it(
    "refuse a closed stdout, and take /dev/null",
    { skip: needsProc },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [id = ""] = await makeStore(directory, ["a"]);
      for (const args of [["cat", directory], ["export", directory, id, "-"]]) {
        const closed = await redirected(">&-", args);
        assert.equal(closed.code, 1, args[0]);
        assert.match(
          closed.stderr,
          /^raft-snapshots: Cannot write to stdout: closed.*\n$/,
        );
        const { code, stderr } = await redirected(">/dev/null", args);
        assert.deepEqual([code, stderr], [0, ""], args[0]);
      }
    },
  );
});

describe("each command of raft-snapshots that prints", () => {
  it(
    "exits with 1 when its output can't be written",
    { skip: needsFull },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [id = ""] = await makeStore(directory, ["a"]);
      for (
        const args of [
          ["--help"],
          ["save", "--help"],
          ["--version"],
          ["list", directory],
          ["list", directory, "--json"],
          ["inspect", directory],
          ["verify", directory],
          ["cat", directory],
          ["export", directory, id, "-"],
          ["seal", directory, id],
          ["clean", directory, "--json"],
        ]
      ) {
        const { code, stderr } = await redirected(">/dev/full", args);
        assert.equal(code, 1, args.join(" "));
        assert.match(stderr, /Cannot write to stdout: .*no space left.*\n$/i);
      }
    },
  );
});
