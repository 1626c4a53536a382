/**
 * The output of `console.log` for stores, sinks and sources.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "../support/runtime.ts";

const script = new URL("./print_objects.ts", import.meta.url);

describe("console.log", () => {
  it("shows stores, sinks and sources with their fields", async () => {
    const { stdout, stderr } = await runtime.runScript(script);
    assert.equal(stderr, "");
    // Each runtime has its own quotes and breaks lines elsewhere.
    const text = stdout.replace(/["']/g, "").replace(/,?\s+/g, " ").trim();
    assert.equal(
      text,
      [
        "MemorySnapshotStore { place: memory state: open readOnly: false retain: 1 }",
        "SnapshotSink { id: 3-10-1000 state: open }",
        "SnapshotSink { id: 3-10-1000 state: published }",
        "{ inside: [ SnapshotSource { id: 3-10-1000 size: 5 read: 0 state: open } ] }",
        "SnapshotSource { id: 3-10-1000 size: 5 read: 5 state: read }",
        "SnapshotSink { id: 3-10-1001 state: discarded }",
        "MemorySnapshotStore { place: memory state: closed readOnly: false retain: 1 }",
        "DiscardSnapshotStore { place: a store that keeps nothing state: open readOnly: false retain: 2 }",
        "SnapshotStore { place: memory state: open readOnly: false retain: 2 }",
      ].join(" "),
    );
  });
});
