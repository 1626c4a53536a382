import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { bytes } from "../support/random.ts";
import { runtime, type ScriptResult } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = new URL("../../examples/demo.ts", import.meta.url);

/** Runs the demo with a directory of its own for temporary files. */
async function demo(
  temporary: string,
  args: readonly string[],
): Promise<ScriptResult> {
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary };
  return await runtime.runScript(script, args, { env });
}

describe("the demo", () => {
  it("falls back to the older snapshot, and tidies up", async (t) => {
    const temporary = await temporaryDirectory(t);
    const { code, stdout, stderr } = await demo(temporary, ["--keys", "2000"]);
    assert.deepEqual([code, stderr], [0, ""], stdout);
    for (
      const line of [
        /snapshot of 2,000 keys at index 2,000: .*\/s/,
        /snapshot of 2,125 keys at index 2,500: .*\/s/,
        /restored 2,125 keys/,
        /byte [\d,]+ of 3-2500-\d+\/state\.bin: was 0x.., is 0x../,
        /Quarantined corrupt snapshot 3-2500-\d+/,
        /fell back to index 2,000: restored 2,000 keys/,
        /replays the 500 log entries/,
        /└─ 3-2500-\d+\.corrupt\.tmp\//,
      ]
    ) assert.match(stdout, line);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("takes any file as the state, and can keep the files on disk", async (t) => {
    const temporary = await temporaryDirectory(t);
    const directory = await temporaryDirectory(t);
    const file = join(directory, "state");
    await writeFile(file, bytes(1024 * 1024 + 1, 5));
    const { code, stdout, stderr } = await demo(temporary, [file, "--keep"]);
    assert.deepEqual([code, stderr], [0, ""], stdout);
    assert.match(stdout, /fell back to index 1,000: restored the file/);
    const [kept = ""] = await readdir(temporary);
    assert.deepEqual((await readdir(join(temporary, kept))).sort(), [
      ...["digests.json", "restored", "store"],
    ]);
  });

  it("rejects a path that is not a file", async (t) => {
    const temporary = await temporaryDirectory(t);
    const { code, stderr } = await demo(temporary, [temporary]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^demo: Cannot use .* as the state: expected a file\n$/,
    );
  });
});
