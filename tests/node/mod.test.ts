/**
 * The exports of `@raft/snapshots/node`.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { nodeFileSystem } from "@raft/snapshots/node";
import { failOn, FaultyFileSystem } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const init = {
  index: 10n,
  term: 3n,
  configuration: { servers: [] },
  configurationIndex: 2n,
};

describe("nodeFileSystem", () => {
  it("can be wrapped, so that a real disk fails on request", async (t) => {
    const directory = await temporaryDirectory(t);
    const fileSystem = new FaultyFileSystem(nodeFileSystem);
    const store = await openFileSnapshotStore(directory, { fileSystem });
    const sink = await store.create(init);
    fileSystem.inject(failOn("sync", "EIO"));
    await assert.rejects(new Blob(["lost"]).stream().pipeTo(sink), {
      name: "SnapshotPublishError",
      code: "ERR_SNAPSHOT_PUBLISH",
      systemCode: "EIO",
      published: false,
    });
    fileSystem.inject();
    const next = await store.create(init);
    await new Blob(["kept"]).stream().pipeTo(next);
    assert.deepEqual((await store.list()).map(({ id }) => id), [next.id]);
    await store.close();
  });
});
