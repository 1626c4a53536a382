import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = fileURLToPath(new URL("./two_snapshots.ts", import.meta.url));

/** Why the system's calls can't be watched, or `false` when they can. */
function whyNotTraced(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  const { status } = spawnSync("strace", ["-f", "true"]);
  return status === 0 ? false : "needs strace, and leave to use it";
}

/** One line a call that syncs, renames or removes something of a snapshot. */
async function traceTwoSnapshots(directory: string): Promise<string[]> {
  const trace = join(directory, "trace");
  const flags = runtime.name === "deno" ? ["run", "-q", "--allow-all"] : [];
  execFileSync("strace", [
    "--follow-forks",
    "--decode-fds=path",
    "--quiet=all",
    "--trace=fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat",
    "--string-limit=4096",
    `--output=${trace}`,
    process.execPath,
    ...flags,
    script,
    join(directory, "store"),
  ]);
  const lines = (await readFile(trace, "utf8")).split("\n");
  return lines.map(toStep).filter((step) => step !== undefined);
}

/** The operation of a call, without the snapshot's ID. */
function toStep(line: string): string | undefined {
  // A call that another thread interrupts is written in two lines.
  const synced = /f(?:data)?sync\(\d+<([^>]*)>/.exec(line)?.[1];
  if (synced !== undefined) {
    const path = synced.split("/snapshots").at(-1) ?? "";
    if (!synced.includes("/snapshots") || path.includes(".lock")) {
      return undefined;
    }
    return `sync snapshots${path.replace(/\/[\d-]+\.tmp/, "/ID.tmp")}`;
  }
  // Through the open directory, whose name need not be in the call.
  const isOfSnapshot = /(state\.bin|meta\.json|blocks\.crc64)"/;
  if (/unlink/.test(line) && isOfSnapshot.test(line)) return "remove a file";
  const [, from, to] = /rename.*\/([\d-]+[^"/]*)", .*\/([\d-]+[^"/]*)"/
    .exec(line) ?? [];
  const nameOf = (name: string) => name.replace(/^[\d-]+/, "ID");
  return from === undefined || to === undefined
    ? undefined
    : `rename ${nameOf(from)} ${nameOf(to)}`;
}

/** The steps that make one snapshot durable; the syncs of the parts first. */
const PUBLICATION = [
  "sync snapshots/ID.tmp",
  "sync snapshots/ID.tmp/blocks.crc64",
  "sync snapshots/ID.tmp/meta.json",
  "sync snapshots/ID.tmp/state.bin",
  "rename ID.tmp ID",
  "sync snapshots",
];

describe("the system calls of a store", () => {
  it("make snapshots durable, and remove one, in the documented order", {
    skip: whyNotTraced(),
  }, async (t) => {
    const steps = await traceTwoSnapshots(await temporaryDirectory(t));
    const begin = steps.findIndex((step) => step.includes("ID.tmp"));
    for (const at of [begin, begin + PUBLICATION.length]) {
      const sideBySide = steps.slice(at, at + 4).sort();
      const then = steps.slice(at + 4, at + PUBLICATION.length);
      assert.deepEqual([...sideBySide, ...then], PUBLICATION);
    }
    const removal = steps.slice(begin + 2 * PUBLICATION.length);
    assert.deepEqual(removal.splice(0, 2), [
      "rename ID ID.deleted.tmp",
      "sync snapshots",
    ]);
    assert.ok(removal.length > 0, "nothing is removed");
    assert.deepEqual(removal.filter((step) => step !== "remove a file"), []);
  });
});
