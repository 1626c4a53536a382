/**
 * Node's modules, where there are none.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "../support/runtime.ts";

describe("a runtime that has nothing of Node", () => {
  it("loads the package, and an error says what a directory needs", async () => {
    const script = new URL("./without_process.ts", import.meta.url);
    const { code, stdout, stderr } = await runtime.runScript(script);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    const { listed, ...failures } = JSON.parse(stdout);
    assert.deepEqual(listed, []);
    for (const [name, failure] of Object.entries(failures)) {
      assert.match(
        String(failure),
        /^StoreAccessError: Cannot use the files of this machine, or archives: found a runtime without process\.getBuiltinModule\("node:\w+"\), expected Deno 2, Bun or Node 20\.19/,
        name,
      );
    }
  });
});
