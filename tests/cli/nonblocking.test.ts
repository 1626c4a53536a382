import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, runBy } from "./raft_snapshots.ts";

/**
 * Runs a program with a non-blocking pipe as its stdout, reads that in small
 * parts, and passes it on.
 */
const READER = `
import fcntl, os, subprocess, sys
readable, writable = os.pipe()
flags = fcntl.fcntl(writable, fcntl.F_GETFL)
fcntl.fcntl(writable, fcntl.F_SETFL, flags | os.O_NONBLOCK)
program = subprocess.Popen(sys.argv[1:], stdout=writable)
os.close(writable)
while part := os.read(readable, 1000):
    sys.stdout.buffer.write(part)
sys.exit(program.wait())
`;

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const skip = hasPython ? false : "needs python3 to make the pipe";

describe("a non-blocking stdout with a slow reader", () => {
  it("gets all bytes of cat", { skip }, async (t) => {
    const directory = await temporaryDirectory(t);
    const state = bytes(5 * 1024 * 1024 + 17, 3);
    await makeStore(directory, [state]);
    const { code, stdout, stderr } = await runBy(
      ["python3", "-c", READER],
      ["cat", directory],
    );
    assert.deepEqual([code, stderr], [0, ""]);
    // Not deepEqual(): the difference of two long arrays would fill the memory.
    assert.ok(Buffer.from(stdout).equals(state), `${stdout.length} bytes`);
  });

  it("gets all bytes of an archive", { skip }, async (t) => {
    const directory = await temporaryDirectory(t);
    const state = bytes(3 * 1024 * 1024, 4);
    const [id = ""] = await makeStore(directory, [state]);
    const { code, stdout, stderr } = await runBy(
      ["python3", "-c", READER],
      ["export", directory, id, "-"],
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const check = await raftSnapshots(["verify", "-"], stdout);
    assert.deepEqual([check.code, check.stderr], [0, ""]);
  });
});
