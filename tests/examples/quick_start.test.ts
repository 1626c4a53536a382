import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = new URL("../../examples/quick_start.ts", import.meta.url);

describe("the quick start", () => {
  it("saves, lists and restores, and does so again", async (t) => {
    const cwd = await temporaryDirectory(t);
    for (const times of [1, 2]) {
      const { code, stdout, stderr } = await runtime.runScript(script, [], {
        cwd,
      });
      assert.deepEqual([code, stderr], [0, ""]);
      const lines = stdout.split("\n");
      const listed = lines.slice(0, times);
      for (const line of listed) {
        assert.match(line, /^3-10-\d+: 12 bytes, index 10 of term 3$/);
      }
      assert.deepEqual(lines.slice(times), [
        ...["x = 1", "y = 2", ""],
        ...["the log continues after index 10", ""],
      ]);
    }
  });
});
