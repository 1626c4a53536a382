import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import { powerless, whyNotPowerless } from "../../support/permissions.ts";
import { runtime, type ScriptOptions } from "../../support/runtime.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const MIB = 1024 ** 2;
const script = new URL("./large_writer.ts", import.meta.url);

/** Why the threads of the system's calls can't be watched. */
function whyNotTraced(): string | false {
  if (runtime.name !== "deno") return "needs Deno";
  if (process.platform !== "linux") return "needs Linux";
  const { status } = spawnSync("strace", ["-f", "true"]);
  return status === 0 ? false : "needs strace, and leave to use it";
}

/** Lets another process write, and reads what it has written. */
async function writeLarge(
  path: string,
  mode: string,
  options: ScriptOptions = {},
): Promise<void> {
  const { code, stderr } = await runtime
    .runScript(script, [path, mode], options);
  assert.equal(code, 0, stderr);
  const bytes = await readFile(path);
  assert.equal(bytes.length, 3 * MIB);
  for (const [i, letter] of [..."abc"].entries()) {
    const part = bytes.subarray(i * MIB, (i + 1) * MIB);
    assert.ok(part.every((byte) => byte === letter.charCodeAt(0)), letter);
  }
}

describe("large writes of a new file", () => {
  it("run beside the thread that asks for them, on Deno", {
    skip: whyNotTraced(),
  }, async (t) => {
    const dir = await temporaryDirectory(t);
    const trace = join(dir, "trace");
    const watch = ["--follow-forks", "--decode-fds=path", "--quiet=all"];
    await writeLarge(join(dir, "large"), "600", {
      through: [
        "strace",
        ...watch,
        "--trace=execve,write,pwrite64",
        `--output=${trace}`,
      ],
    });
    const lines = (await readFile(trace, "utf8")).split("\n");
    // The process began with its main thread, and bears its number.
    const main = parseInt(lines[0] ?? "");
    const writers = lines.filter((line) => line.includes("/large>"))
      .map((line) => parseInt(line));
    assert.ok(main > 0 && writers.length >= 3, `${writers.length} writes`);
    assert.ok(!writers.includes(main), "the main thread has written");
  });

  it("leave no descriptor open, also when the file is closed meanwhile", async (t) => {
    const dir = await temporaryDirectory(t);
    for (const name of ["f", "g"]) {
      const handle = await files.open(join(dir, name), "create");
      const writing = handle.write(new Uint8Array(MIB), 0);
      if (name === "f") assert.equal(await writing, MIB);
      await Promise.all([handle.close(), writing.catch(() => {})]);
    }
    assert.deepEqual(openDescriptors(dir) ?? [], []);
  });

  it("end before the close of their file does, or are rejected", async (t) => {
    const dir = await temporaryDirectory(t);
    const positions = { "the next": MIB, "another": 9 };
    for (const [which, position] of Object.entries(positions)) {
      const handle = await files.open(join(dir, which), "create");
      assert.equal(await handle.write(new Uint8Array(MIB), 0), MIB);
      const ended: string[] = [];
      const large = new Uint8Array(64 * MIB);
      const writing = handle.write(large, position).then(
        (written) => assert.equal(written, large.length),
        (error) => assert.equal(error.code, "EBADF"),
      ).finally(() => ended.push("write"));
      const closing = handle.close().then(() => ended.push("close"));
      await assert.rejects(handle.write(large, 0), { code: "EBADF" });
      await Promise.all([writing, closing]);
      assert.deepEqual(ended, ["write", "close"], `${which} position`);
    }
    assert.deepEqual(openDescriptors(dir) ?? [], []);
  });

  it("succeed where the file's mode forbids to open it again", {
    skip: whyNotPowerless(),
  }, async (t) => {
    const path = join(await temporaryDirectory(t), "f");
    await writeLarge(path, "400", { through: powerless });
    assert.equal((await stat(path)).mode & 0o777, 0o400);
  });

  it("succeed where Deno may use the directory and nothing else", {
    skip: runtime.name === "deno" ? false : "needs Deno",
  }, async (t) => {
    const dir = await temporaryDirectory(t);
    const denoFlags = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    await writeLarge(join(dir, "f"), "600", {
      denoFlags: ["--no-check", ...denoFlags],
    });
  });
});
