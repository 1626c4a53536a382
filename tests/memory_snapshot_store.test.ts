/**
 * The memory store, beyond the suite that every store passes.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  MemorySnapshotStore,
  openFileSnapshotStore,
  SnapshotNotFoundError,
} from "@raft/snapshots";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { bytes } from "./support/random.ts";
import { encode, INIT, listIds, load, save } from "./support/store_fixture.ts";

describe("the memory store", () => {
  it("keeps the newest and the one published last, as a file store does", async () => {
    const store = new MemorySnapshotStore();
    await save(store, "first", { index: 5n });
    const newest = await save(store, "newer", { index: 20n });
    const last = await save(store, "older", { index: 10n });
    assert.deepEqual(await listIds(store), [newest, last]);
    assert.equal(await load(store, last), "older");
  });

  it("keeps the previous snapshot until its successor is closed", async () => {
    const store = new MemorySnapshotStore();
    const first = await save(store, "first");
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("second"));
    assert.equal(await load(store, first), "first");
    await writer.close();
    await assert.rejects(store.open(first), SnapshotNotFoundError);
    assert.equal(await load(store, sink.id), "second");
  });

  it("lets a reader finish a snapshot that was replaced", async () => {
    const store = new MemorySnapshotStore();
    const state = bytes(300_000, 1);
    const source = await store.open(await save(store, state));
    await save(store, "next");
    const read = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(read, state);
  });

  it("never gives two sinks the same ID", async () => {
    const store = new MemorySnapshotStore();
    const ids = new Set<string>();
    for (let i = 0; i < 50; i++) ids.add((await store.create(INIT)).id);
    assert.equal(ids.size, 50);
  });

  it("passes the caller's onProgress error on", async () => {
    const store = new MemorySnapshotStore();
    const mine = new Error("mine");
    const source = await store.open(await save(store, "state"), {
      onProgress() {
        throw mine;
      },
    });
    await assert.rejects(new Response(source).text(), mine);
  });

  it("can be filled from a file store, and a file store from it", async () => {
    const memory = new MemorySnapshotStore();
    const files = await openFileSnapshotStore("/data", {
      fileSystem: new MemoryFileSystem(),
    });
    const source = await files.open(await save(files, bytes(100_000, 1)));
    const { meta } = source;
    const sink = await memory.create({ ...meta, version: 1 });
    await source.pipeTo(sink);
    const { id, createdAt } = meta;
    assert.deepEqual({ ...sink.meta, id, createdAt }, { ...meta });
    const back = await files.create({ ...sink.meta, version: 1 });
    await (await memory.open(sink.id)).pipeTo(back);
    assert.equal((await files.verify(back.id)).ok, true);
    assert.equal(back.meta.crc, meta.crc);
    await files.close();
  });
});
