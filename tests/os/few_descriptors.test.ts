import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { save } from "../support/store_fixture.ts";

const COUNT = 300;

/** A store of snapshots of the indexes 1 to 300, all but one as Go's. */
async function makeStore(base: string): Promise<void> {
  const store = await openFileSnapshotStore(base);
  const first = await save(store, "state", { index: 1n });
  await store.close();
  const snapshots = join(base, "snapshots");
  const meta = await readFile(join(snapshots, first, "meta.json"), "utf8");
  for (let index = 2; index <= COUNT; index++) {
    const id = first.replace("-1-", `-${index}-`);
    await mkdir(join(snapshots, id));
    const text = meta.replaceAll(first, id)
      .replace('"Index":1,', `"Index":${index},`);
    await writeFile(join(snapshots, id, "meta.json"), text);
    await writeFile(join(snapshots, id, "state.bin"), "state");
  }
}

describe("a process that has run out of descriptors", () => {
  it("lists all snapshots or none, and restores the newest or none", {
    skip: process.platform === "win32" ? "needs ulimit" : false,
  }, async (t) => {
    const base = await temporaryDirectory(t);
    await makeStore(base);
    const script = new URL("./starved_reader.ts", import.meta.url);
    const found: string[] = [];
    for (const left of [0, 1, 2, 3, 6, 12, 30]) {
      const { code, stdout, stderr } = await runtime.runScript(
        script,
        [base, String(left)],
        { through: ["sh", "-c", 'ulimit -n 120 && exec "$@"', "sh"] },
      );
      assert.equal(code, 0, stderr);
      const { taken, listed, restored } = JSON.parse(stdout);
      assert.ok(taken > 0, "no limit was reached");
      assert.ok([COUNT, "EMFILE"].includes(listed), `${left}: ${stdout}`);
      assert.ok([COUNT, "EMFILE"].includes(restored), `${left}: ${stdout}`);
      found.push(`${left}: ${listed}, ${restored}`);
    }
    assert.equal(found[0], "0: EMFILE, EMFILE");
    assert.equal(found.at(-1), `30: ${COUNT}, ${COUNT}`, found.join("\n"));
  });
});
