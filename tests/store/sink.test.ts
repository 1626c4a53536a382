/**
 * The sink as a WritableStream. The rules for every store's sink are in the
 * conformance suite; this is about files, memory and time.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotPublishError } from "@raft/snapshots";
import type { Injector } from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import {
  encode,
  Gate,
  INIT,
  letOthersWork,
  load,
  save,
  StoreFixture,
  streamOfChunks,
} from "../support/store_fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** No write to the state completes before the gate is opened. */
function holdWrites({ opened }: Gate): Injector {
  return ({ name, path }) =>
    name === "write" && path.endsWith("state.bin")
      ? { wait: opened }
      : undefined;
}

/** A producer of more than enough, and how much it got rid of. */
function endless(chunkSize: number) {
  const produced = { bytes: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      // Without backpressure this test must fail before the memory is full.
      if (produced.bytes >= 64 * MIB) return controller.close();
      produced.bytes += chunkSize;
      controller.enqueue(new Uint8Array(chunkSize));
    },
    cancel(reason) {
      produced.cancelled = reason;
    },
  });
  return { produced, stream };
}

describe("the sink's backpressure", () => {
  for (const chunkSize of [1 * KIB, 64 * KIB, 1 * MIB]) {
    it(`holds back a producer of ${chunkSize} byte chunks within a few MiB`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const sink = await store.create(INIT);
      const gate = new Gate();
      fixture.files.inject(holdWrites(gate));
      const { produced, stream } = endless(chunkSize);
      const piped = stream.pipeTo(sink).catch((error) => error);
      let before = -1;
      while (before !== produced.bytes) {
        before = produced.bytes;
        await letOthersWork();
      }
      assert.ok(produced.bytes >= 1 * MIB, `only ${produced.bytes} bytes`);
      assert.ok(produced.bytes <= 5 * MIB, `as many as ${produced.bytes}`);

      gate.open();
      const reason = new Error("enough");
      await sink.cancel(reason);
      assert.equal(await piped, reason);
      assert.equal(produced.cancelled, reason);
      assert.deepEqual(fixture.names(), []);
      await store.close();
    });
  }

  it("makes a writer wait, and continue in time", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 4 * KIB });
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(holdWrites(gate));
    const writer = sink.getWriter();
    assert.equal(writer.desiredSize, 4 * KIB);
    for (let i = 0; i < 4; i++) void writer.write(new Uint8Array(4 * KIB));
    assert.ok((writer.desiredSize ?? 0) <= 0);
    gate.open();
    await writer.ready;
    assert.ok((writer.desiredSize ?? 0) > 0);
    await writer.close();
    assert.equal(sink.meta.size, 16 * KIB);
    await store.close();
  });
});

describe("the sink's writing", () => {
  it("works on a system that writes a few bytes at a time", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    fixture.files.inject(({ name }) =>
      name === "write" || name === "read" ? { length: 7 } : undefined
    );
    const state = bytes(3000, 1);
    const id = await save(store, state);
    assert.deepEqual(fixture.read(id, "state.bin"), state);
    assert.equal((await load(store, id)).length > 0, true);
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("fails when the system writes no byte", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(({ name, path }) =>
      name === "write" && path.endsWith("state.bin") ? { length: 0 } : undefined
    );
    await assert.rejects(save(store, "state"), SnapshotPublishError);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("writes in whole blocks, whatever the chunks", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const sink = await store.create(INIT);
    const start = fixture.files.trace.length;
    const chunks = Array.from({ length: 150 }, () => new Uint8Array(10));
    await streamOfChunks(...chunks).pipeTo(sink);
    const writes = fixture.trace(start).filter((line) =>
      line === `write ${sink.id}.tmp/state.bin`
    );
    assert.equal(writes.length, 3); // 512 + 512 + 476
    await store.close();
  });

  it("accepts shared memory, and takes the checksum of its own copy", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const shared = new SharedArrayBuffer(6);
    new Uint8Array(shared).set(encode("shared"));
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(new Uint8Array(shared));
    await writer.write(shared as unknown as Uint8Array);
    new Uint8Array(shared).fill(0);
    await writer.close();
    assert.equal(await load(store, sink.id), "sharedshared");
    await store.close();
  });

  it("lets the caller reuse its buffer while the disk is still slow", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(holdWrites(gate));
    const writer = sink.getWriter();
    const buffer = new Uint8Array(512).fill(1);
    await writer.write(buffer); // on its way to the disk
    buffer.fill(2);
    const second = writer.write(buffer);
    gate.open();
    await second;
    buffer.fill(3);
    await writer.close();
    const state = fixture.read(sink.id, "state.bin");
    assert.deepEqual(new Set(state.subarray(0, 512)), new Set([1]));
    assert.deepEqual(new Set(state.subarray(512)), new Set([2]));
    await store.close();
  });
});
