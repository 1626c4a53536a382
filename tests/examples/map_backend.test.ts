/**
 * The backend that docs/backend.md shows.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { snapshotStoreConformance } from "@raft/snapshots/testing";
import { mapBackend } from "../../examples/map_backend.ts";
import { readSource } from "../repository/source_files.ts";

describe("the backend of docs/backend.md", () => {
  const makeStore = () =>
    openSnapshotStore(mapBackend(new Map()), { retain: 3 });
  for (const { name, run } of snapshotStoreConformance(makeStore)) {
    it(name, run);
  }

  it("stands in the page as it is in examples/map_backend.ts", async () => {
    const page = await readSource("docs/backend.md");
    const [, code] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? [];
    assert.equal(code, await readSource("examples/map_backend.ts"));
  });
});
