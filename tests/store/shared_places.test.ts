/**
 * Exchanges with a place of several writers: which snapshots must not be
 * reaped, which can't be removed, and how long a new one will be.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  SnapshotRetainedError,
  type SnapshotStore,
  StoreAccessError,
} from "@raft/snapshots";
import {
  type BackendNames,
  type BeginOptions,
  openSnapshotStore,
} from "@raft/snapshots/backend";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";
import { INIT, listIds, Log, save } from "../support/store_fixture.ts";

/** Memory that behaves like a place with several writers. */
class SharedBackend extends MemoryBackend {
  readonly log = new Log();
  readonly begun: BeginOptions[] = [];
  protected: readonly string[] = [];
  retained: readonly string[] = [];

  open(retain: number): Promise<SnapshotStore> {
    return openSnapshotStore(this, { retain, logger: this.log });
  }

  override async names(): Promise<BackendNames> {
    return { ...await super.names(), protected: this.protected };
  }

  override begin(id: string, _meta?: Uint8Array, options: BeginOptions = {}) {
    this.begun.push(options);
    return super.begin(id);
  }

  override async remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>> {
    const isRetained = (id: string) => this.retained.includes(id);
    return new Map([
      ...await super.remove(ids.filter((id) => !isRetained(id)), from),
      ...ids.filter(isRetained).map((id) =>
        [id, new SnapshotRetainedError(`Cannot delete ${id}`)] as const
      ),
    ]);
  }
}

/** Publishes three snapshots, oldest first. */
async function prepare(backend: SharedBackend): Promise<string[]> {
  const store = await backend.open(Infinity);
  const ids: string[] = [];
  for (const index of [1, 2, 3]) ids.push(await save(store, "s", { index }));
  assert.equal((await store.list()).length, 3, "Infinity retains all");
  await store.close();
  return ids;
}

describe("a store in a place with several writers", () => {
  it("reaps no snapshot that the place protects, good or corrupt", async () => {
    const backend = new SharedBackend();
    const [first, second, third] = await prepare(backend) as [
      string,
      string,
      string,
    ];
    backend.protected = [first];
    const store = await backend.open(1);
    await store.reap();
    assert.deepEqual(await listIds(store), [third, first]);
    assert.ok(!(await listIds(store)).includes(second));
    backend.protected = [];
    await store.reap();
    assert.deepEqual(await listIds(store), [third]);
    await store.close();
  });

  it("rejects a place that protects a snapshot that it does not list", async () => {
    const backend = new SharedBackend();
    backend.protected = ["3-1-1"];
    const store = await backend.open(1);
    await assert.rejects(store.list(), StoreAccessError);
    await store.close();
  });

  it("leaves a retained snapshot where it is, which does not fail a reap", async () => {
    const backend = new SharedBackend();
    const [first, , third] = await prepare(backend) as [string, string, string];
    backend.retained = [first];
    const store = await backend.open(1);
    await store.reap();
    assert.deepEqual(await listIds(store), [third, first]);
    assert.deepEqual(backend.log.matching("warn"), []);
    await store.close();
  });

  it("rejects delete() of a retained snapshot with SnapshotRetainedError", async () => {
    const backend = new SharedBackend();
    const [first] = await prepare(backend) as [string];
    backend.retained = [first];
    const store = await backend.open(1);
    await assert.rejects(store.delete(first), SnapshotRetainedError);
    assert.ok((await listIds(store)).includes(first));
    await store.close();
  });

  it("passes the expected length of a new state to the place", async () => {
    const backend = new SharedBackend();
    const store = await backend.open(Infinity);
    const expected = { size: 5 };
    await store.save(INIT, new Uint8Array(5), { expected });
    await store.save(INIT, new Uint8Array(5));
    const sizes = backend.begun.map(({ expectedSize }) => expectedSize);
    assert.deepEqual(sizes, [5, undefined]);
    await store.close();
  });
});
