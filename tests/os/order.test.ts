import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = fileURLToPath(new URL("./one_snapshot.ts", import.meta.url));

/** Why the system's calls can't be watched, or `false` when they can. */
function whyNotTraced(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  const { status } = spawnSync("strace", ["-f", "true"]);
  return status === 0 ? false : "needs strace, and leave to use it";
}

/** One line a call that syncs or renames something of the store. */
async function traceOneSnapshot(directory: string): Promise<string[]> {
  const trace = join(directory, "trace");
  const flags = runtime.name === "deno" ? ["run", "-q", "--allow-all"] : [];
  execFileSync("strace", [
    "--follow-forks",
    "--decode-fds=path",
    "--quiet=all",
    "--trace=fsync,fdatasync,rename,renameat,renameat2",
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

/** `sync NAME` or `publish`; the snapshot's own ID is of no interest. */
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
  return /rename.*\/[\d-]+\.tmp", .*\/[\d-]+"/.test(line)
    ? "rename snapshots/ID.tmp"
    : undefined;
}

describe("the system calls of a store", () => {
  it("make a snapshot durable in the documented order", {
    skip: whyNotTraced(),
  }, async (t) => {
    const steps = await traceOneSnapshot(await temporaryDirectory(t));
    const begin = steps.findIndex((step) => step.includes("ID.tmp"));
    const sideBySide = steps.slice(begin, begin + 4).sort();
    assert.deepEqual([...sideBySide, ...steps.slice(begin + 4)], [
      "sync snapshots/ID.tmp",
      "sync snapshots/ID.tmp/blocks.crc64",
      "sync snapshots/ID.tmp/meta.json",
      "sync snapshots/ID.tmp/state.bin",
      "rename snapshots/ID.tmp",
      "sync snapshots",
    ]);
  });
});
