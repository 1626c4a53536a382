/**
 * The metrics that examples/prometheus.ts makes of a store's events.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import { snapshotMetrics } from "../../examples/prometheus.ts";
import { save, StoreFixture } from "../support/store_fixture.ts";

/** The metrics as `name{labels}` with their values. */
async function read(prometheus: Registry): Promise<Map<string, number>> {
  const lines = (await prometheus.metrics()).split("\n");
  return new Map(
    lines.filter((line) => /^raft_/.test(line)).map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

const eventsOf = (type: string) => `raft_snapshot_events_total{type="${type}"}`;

describe("the example prometheus", () => {
  it("counts the snapshots that the store publishes, reaps, rejects and restores", async () => {
    const prometheus = new Registry();
    const fixture = new StoreFixture();
    const onEvent = snapshotMetrics(prometheus);
    const store = await fixture.open({ retain: 2, onEvent });
    assert.equal(
      (await read(prometheus)).get("raft_snapshot_fallbacks_total"),
      0,
    );
    const ids: string[] = [];
    for (let index = 1; index <= 3; index++) {
      ids.push(await save(store, "x".repeat(index), { index }));
    }
    fixture.corrupt(ids[2] ?? "");
    await store.restore((source) => new Response(source).text());
    const values = await read(prometheus);
    const expected: Record<string, number> = {
      [eventsOf("published")]: 3,
      [eventsOf("reaped")]: 1,
      [eventsOf("rejected")]: 1,
      [eventsOf("restored")]: 1,
      [eventsOf("quarantined")]: 1,
      "raft_snapshot_fallbacks_total": 1,
      "raft_snapshot_size_bytes": 3,
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(values.get(name), value, name);
    }
    const published = values.get("raft_snapshot_last_published_seconds") ?? 0;
    assert.ok(published > 0, "it has the time of the last publication");
    await store.close();
  });
});
