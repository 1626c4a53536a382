import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore } from "./raft_snapshots.ts";

const skip = runtime.name === "deno" ? false : "needs Deno";

describe("deno task cli", () => {
  it("resolves paths where the user stands", { skip }, async (t) => {
    const folder = join(await temporaryDirectory(t), "a b");
    await makeStore(join(folder, "store"), ["the state"]);
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["task", "--quiet", "--config", config, "cli", "cat", "store"],
      { cwd: folder, encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "the state");
  });
});
