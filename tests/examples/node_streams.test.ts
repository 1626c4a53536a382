import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { openFileSnapshotStore } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const script = new URL("../../examples/node_streams.ts", import.meta.url);

describe("the example of Node streams", () => {
  it("pipes a file into a snapshot, and out again through gzip", async (t) => {
    const directory = await temporaryDirectory(t);
    const [from, to] = [join(directory, "from"), join(directory, "to.gz")];
    const state = bytes(3 * 1024 * 1024 + 1, 3);
    await writeFile(from, state);
    const args = [join(directory, "store"), from, to];
    const { code, stdout, stderr } = await runtime.runScript(script, args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      /^saved 3-10-\d+: 3145729 bytes\nexported it to .*\n$/,
    );
    const exported = gunzipSync(await readFile(to));
    assert.deepEqual(new Uint8Array(exported), state);
  });

  it("leaves no snapshot behind when the file can't be read", async (t) => {
    const directory = await temporaryDirectory(t);
    const missing = join(directory, "missing");
    const { code } = await runtime.runScript(script, [
      ...[directory, missing, join(directory, "to.gz")],
    ]);
    assert.equal(code, 1);
    const store = await openFileSnapshotStore(directory);
    assert.deepEqual(await store.list(), []);
    await store.close();
  });
});
