/**
 * The discard store, beyond the suite that every store passes.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DiscardSnapshotStore } from "@raft/snapshots";
import { bytes } from "./support/random.ts";
import { INIT, streamOfChunks } from "./support/store_fixture.ts";

describe("the discard store", () => {
  it("reads a pipe to its end, however long", async () => {
    const store = new DiscardSnapshotStore();
    const sink = await store.create(INIT);
    const chunks = Array.from({ length: 500 }, (_, i) => bytes(1000, i + 1));
    await streamOfChunks(...chunks).pipeTo(sink);
    assert.equal(sink.meta.size, 500_000);
  });

  it("never makes a writer wait", async () => {
    const store = new DiscardSnapshotStore();
    const writer = (await store.create(INIT)).getWriter();
    await writer.ready;
    await writer.write(new Uint8Array(10));
    await writer.close();
  });
});
