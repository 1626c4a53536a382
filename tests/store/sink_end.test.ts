/**
 * How a sink ends: cancelled, aborted or closed.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotPublishError, type SnapshotSink } from "@raft/snapshots";
import { failOn, type Injector } from "@raft/snapshots/testing";
import {
  encode,
  Gate,
  INIT,
  letOthersWork,
  load,
  save,
  StoreFixture,
  streamOfChunks,
  until,
} from "../support/store_fixture.ts";

/** No write to the state completes before the gate is opened. */
function holdWrites({ opened }: Gate): Injector {
  return ({ name, path }) =>
    name === "write" && path.endsWith("state.bin")
      ? { wait: opened }
      : undefined;
}

describe("a sink that is cancelled or aborted", () => {
  it("removes every trace before an aborted pipe rejects", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const reason = new Error("the producer broke");
    let left = 30;
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(100_000));
        else controller.error(reason);
      },
    });
    await assert.rejects(broken.pipeTo(sink), reason);
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("ends even when the reason can't be converted to text", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const reason: unknown = Object.create(null);
    const controller = new AbortController();
    const ways: readonly ((sink: SnapshotSink) => unknown)[] = [
      (sink) => sink.cancel(reason),
      (sink) => sink.abort(reason),
      () => controller.abort(reason),
    ];
    for (const giveUp of ways) {
      const { signal } = controller;
      const sink = await store.create(INIT, { signal });
      await giveUp(sink);
      await assert.rejects(sink.close(), {
        name: "SnapshotPublishError",
        message: `Cannot publish snapshot ${sink.id}: [object Object]`,
      });
      await letOthersWork();
      assert.deepEqual(fixture.names(), []);
    }
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("says that no reason was given", async () => {
    const store = await new StoreFixture().open();
    for (const way of ["cancel", "abort"] as const) {
      const sink = await store.create(INIT);
      await sink[way]();
      await assert.rejects(sink.close(), (error: Error) => {
        assert.equal(error.name, "SnapshotPublishError");
        assert.equal((error.cause as Error).name, "AbortError");
        return true;
      });
    }
    await store.close();
  });

  it("removes every trace when a signal ends the pipe", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    let left = 30;
    const endless = new ReadableStream<Uint8Array>({
      pull(out) {
        if (left-- === 0) controller.abort(reason);
        out.enqueue(new Uint8Array(100_000));
      },
    });
    const piped = endless.pipeTo(sink, { signal });
    await assert.rejects(piped, reason);
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("removes every trace after a chunk that is not bytes", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    await assert.rejects(
      streamOfChunks(encode("good"), "bad").pipeTo(sink),
      TypeError,
    );
    assert.deepEqual(fixture.names(), []);
    await assert.rejects(sink.close(), (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.equal(error.published, false);
      assert.ok(error.cause instanceof TypeError);
      return true;
    });
    await store.close();
  });

  it("removes every trace after a view whose buffer was transferred", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const buffer = new ArrayBuffer(8);
    const view = new DataView(buffer) as unknown as Uint8Array;
    structuredClone(buffer, { transfer: [buffer] });
    const writer = sink.getWriter();
    await assert.rejects(writer.write(view), TypeError);
    writer.releaseLock();
    await assert.rejects(sink.close(), SnapshotPublishError);
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("removes every trace when a chunk shrinks while it is written", async () => {
    const ways: readonly ((buffer: ArrayBuffer) => unknown)[] = [
      (buffer) => structuredClone(buffer, { transfer: [buffer] }),
      (buffer) => buffer.resize(10 * 512),
      (buffer) => buffer.resize(99 * 512 + 1),
    ];
    for (const shrink of ways) {
      const fixture = new StoreFixture();
      const store = await fixture.open({ blockSize: 512 });
      const sink = await store.create(INIT);
      const gate = new Gate();
      fixture.files.inject(holdWrites(gate));
      const writer = sink.getWriter();
      const maxByteLength = 100 * 512;
      const buffer = new ArrayBuffer(maxByteLength, { maxByteLength });
      const written = assert.rejects(
        writer.write(new Uint8Array(buffer)),
        (error) => {
          assert.ok(error instanceof SnapshotPublishError);
          assert.ok(error.cause instanceof TypeError);
          return true;
        },
      );
      await letOthersWork(2);
      shrink(buffer);
      gate.open();
      await written;
      writer.releaseLock();
      await assert.rejects(sink.close(), SnapshotPublishError);
      assert.deepEqual(fixture.names(), []);
      await store.close();
    }
  });

  it("rejects published only when every trace is removed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(({ name }) =>
      name === "removeDirectory" ? { wait: gate.opened } : undefined
    );
    let isOver = false;
    const rejected = assert.rejects(sink.published, SnapshotPublishError)
      .then(() => isOver = true);
    const cancelled = sink.cancel();
    await letOthersWork();
    assert.equal(isOver, false);
    gate.open();
    await Promise.all([cancelled, rejected]);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("writes nothing to a file that it has closed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(holdWrites(gate));
    const writer = sink.getWriter();
    const start = fixture.files.trace.length;
    const written = writer.write(new Uint8Array(100 * 512));
    await letOthersWork(2);
    const cancelled = sink.cancel();
    gate.open();
    await cancelled;
    await assert.rejects(written);
    await letOthersWork(10);
    const state = `${sink.id}.tmp/state.bin`;
    const operations = fixture.trace(start).filter((it) => it.includes(state));
    assert.ok(operations.indexOf(`close ${state}`) > 0);
    assert.ok(
      operations.lastIndexOf(`write ${state}`) <
        operations.indexOf(`close ${state}`),
      operations.join("\n"),
    );
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("waits for a write under way before it removes the file", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(holdWrites(gate));
    await sink.getWriter().write(new Uint8Array(512));
    let isCancelled = false;
    const cancelled = sink.cancel().then(() => isCancelled = true);
    await letOthersWork();
    assert.equal(isCancelled, false);
    gate.open();
    await cancelled;
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("is not listed while its clean-up runs, and blocks no other call", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const abandoned = await store.create(INIT);
    const id = await save(store, "another");
    assert.equal((await store.list()).length, 1);
    assert.deepEqual(fixture.names(), [`${abandoned.id}.tmp`, id].sort());
    await store.close();
    assert.deepEqual(fixture.names(), [id]);
  });

  it("tells its writer the reason", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await sink.cancel();
    await assert.rejects(writer.write(encode("x")), { name: "AbortError" });
    await assert.rejects(writer.closed, { name: "AbortError" });
    await store.close();
  });
});

describe("a sink that is closed", () => {
  it("gives every later close the same result", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("rename", "EIO", { times: 1 }));
    const sink = await store.create(INIT);
    const errors = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      await sink.close().catch((error) => errors.add(error));
    }
    assert.equal(errors.size, 1);
    assert.ok([...errors][0] instanceof SnapshotPublishError);
    await store.close();
  });

  it("may be closed by its writer and again by itself", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    const written = writer.write(encode("state"));
    const closed = writer.close();
    writer.releaseLock();
    await sink.close();
    await Promise.all([written, closed]);
    await sink.close();
    assert.equal(await load(store, sink.id), "state");
    await store.close();
  });

  it("rejects a close while it is being aborted", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const aborted = sink.abort(new Error("enough"));
    await assert.rejects(sink.close(), SnapshotPublishError);
    await aborted;
    await assert.rejects(sink.close(), SnapshotPublishError);
    await store.close();
  });

  it("rejects close() while a writer has locked it", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await assert.rejects(sink.close(), TypeError);
    await writer.close(); // which changes nothing for the writer
    assert.equal((await store.list()).length, 1);
    await store.close();
  });

  it("makes cancel() wait for the publication that is under way", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(({ name }) =>
      name === "rename" ? { wait: gate.opened } : undefined
    );
    const closed = sink.close();
    await letOthersWork();
    const cancelled = sink.cancel();
    gate.open();
    await Promise.all([closed, cancelled]);
    assert.equal((await store.list()).length, 1);
    await store.close();
  });
});

describe("a sink that is transferred to another thread", () => {
  const skip = "Bun" in globalThis && "Bun can't transfer streams";

  it("resolves published when the snapshot is durable", { skip }, async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(({ name }) =>
      name === "rename" ? { wait: gate.opened } : undefined
    );
    const transferred = structuredClone(sink as WritableStream<Uint8Array>, {
      transfer: [sink],
    });
    await streamOfChunks(encode("state")).pipeTo(transferred);
    let isPublished = false;
    const published = sink.published.then(() => isPublished = true);
    await letOthersWork();
    assert.equal(isPublished, false);
    gate.open();
    await published;
    assert.equal(await load(store, sink.id), "state");
    await store.close();
  });

  it("rejects published when the other thread aborts", { skip }, async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const transferred = structuredClone(sink as WritableStream<Uint8Array>, {
      transfer: [sink],
    });
    const rejected = assert.rejects(sink.published, SnapshotPublishError);
    let isOver = false;
    const over = rejected.finally(() => isOver = true);
    const aborted = transferred.abort(new Error("enough"));
    // On Node 20 a message on its way does not keep the process alive.
    await until(() => isOver, "the sink has heard of it");
    await Promise.all([aborted, over]);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });
});

describe("close() of a sink", () => {
  it("says what to do while a writer holds the lock, and does no harm", async () => {
    const store = await new StoreFixture().open();
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await assert.rejects(sink.close(), {
      name: "TypeError",
      message: `Cannot close snapshot ${sink.id}: found its stream locked by ` +
        "a writer or a pipe, expected it to be free; call writer.close(), or " +
        "writer.releaseLock() before sink.close()",
    });
    await writer.write(encode("state"));
    await writer.close();
    await sink.close();
    assert.equal(await load(store, sink.id), "state");
    await store.close();
  });
});
