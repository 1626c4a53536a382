/**
 * States for `save()` that look like other things: a blob without `stream()`,
 * and a response that is not a state.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemorySnapshotStore, type SnapshotMeta } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { INIT } from "../support/store_fixture.ts";

const MIB = 1024 * 1024;

async function readBack(
  store: MemorySnapshotStore,
  { id }: SnapshotMeta,
): Promise<Uint8Array> {
  const source = await store.open(id);
  return new Uint8Array(await new Response(source).arrayBuffer());
}

describe("save()", () => {
  it("takes a Blob without stream(), as jsdom's is, piece by piece", async () => {
    const store = new MemorySnapshotStore();
    const state = bytes(2 * MIB + 1, 2);
    const whole = new Blob([state]);
    const starts: number[] = [];
    const blob = {
      size: whole.size,
      arrayBuffer: () => assert.fail("all of it would be in memory"),
      slice: (start: number, end: number) => {
        starts.push(start);
        return whole.slice(start, end);
      },
    };
    const meta = await store.save(INIT, blob as unknown as Blob);
    assert.deepEqual(starts, [0, MIB, 2 * MIB]);
    assert.deepEqual(await readBack(store, meta), state);
  });

  it("rejects the response to a request that failed", async () => {
    const store = new MemorySnapshotStore();
    for (const status of [301, 404, 503]) {
      await assert.rejects(
        store.save(INIT, new Response("not a state", { status })),
        {
          name: "TypeError",
          message: "Cannot save a state: found a response with status " +
            `${status}, expected a successful one`,
        },
      );
    }
    assert.deepEqual(await store.list(), []);
  });

  it("takes a request, which has a body and no status", async () => {
    const store = new MemorySnapshotStore();
    const body = bytes(5000, 1);
    const request = new Request("http://host/", { method: "PUT", body });
    const meta = await store.save(INIT, request as unknown as Response);
    assert.deepEqual(await readBack(store, meta), body);
  });
});
