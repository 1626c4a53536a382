/**
 * `toNodeWritable()`: a sink as a stream of Node's.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { Readable, type Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import {
  SnapshotPublishError,
  type SnapshotSink,
  StoreClosedError,
} from "@raft/snapshots";
import { toNodeWritable } from "@raft/snapshots/node";
import { failOn, type Injector } from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import {
  Gate,
  INIT,
  letOthersWork,
  listIds,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

const MIB = 1024 * 1024;

async function open() {
  const fixture = new StoreFixture();
  const store = await fixture.open();
  const sink = await store.create(INIT);
  return { fixture, store, sink, writable: toNodeWritable(sink) };
}

/** Notes each event of a stream by its name. */
function eventsOf(stream: Writable): string[] {
  const events: string[] = [];
  for (const name of ["error", "finish", "close"]) {
    stream.on(name, () => events.push(name));
  }
  return events;
}

/** Notes the sizes of the chunks that a sink gets. */
function sizesGivenTo(sink: SnapshotSink): number[] {
  const sizes: number[] = [];
  sink.getWriter = () => {
    const writer = WritableStream.prototype.getWriter.call(sink);
    const write = writer.write.bind(writer);
    writer.write = (chunk: Uint8Array) => {
      sizes.push(chunk.length);
      return write(chunk);
    };
    return writer;
  };
  return sizes;
}

/** Holds an operation on the disk until the gate is opened. */
function hold(name: string, { opened }: Gate): Injector {
  return (operation) => operation.name === name ? { wait: opened } : undefined;
}

/** Runs something, and gives the rejections that no code has handled. */
async function unhandledDuring(run: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    await run();
    await letOthersWork();
  } finally {
    process.off("unhandledRejection", note);
  }
  return unhandled;
}

describe("toNodeWritable()", () => {
  it("publishes the written chunks, texts included, when it is ended", async () => {
    const { store, sink, writable } = await open();
    writable.write("sch");
    writable.write(new Uint8Array([0xc3, 0xbc]));
    writable.end("6c6572", "hex");
    await finished(writable);
    const source = await store.open(sink.id);
    assert.equal(await new Response(source).text(), "schüler");
    await store.close();
  });

  it("keeps the order of small and large chunks, and the bytes of a buffer that is reused", async () => {
    const { store, sink, writable } = await open();
    const state = bytes(5 * MIB + 7, 1);
    let [at, size] = [0, 1];
    const buffer = new Uint8Array(MIB);
    while (at < state.length) {
      const part = state.subarray(at, at + size);
      buffer.set(part);
      await new Promise<void>((resolve, reject) =>
        writable.write(
          buffer.subarray(0, part.length),
          (error) => error ? reject(error) : resolve(),
        )
      );
      buffer.fill(0xff);
      at += part.length;
      size = size * 3 % (MIB - 1);
    }
    writable.end();
    await finished(writable);
    const source = await store.open(sink.id);
    const read = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(read, state);
    await store.close();
  });

  it("finishes only once the snapshot is durable", async () => {
    const { fixture, store, sink, writable } = await open();
    const gate = new Gate();
    fixture.files.inject(hold("syncDirectory", gate));
    const events = eventsOf(writable);
    writable.end("state");
    await letOthersWork();
    assert.deepEqual(events, []);
    gate.open();
    await once(writable, "close");
    assert.deepEqual(events, ["finish", "close"]);
    assert.deepEqual(await listIds(store), [sink.id]);
    await store.close();
  });

  it("gives many small writes to the sink in few large chunks", async () => {
    const store = await new StoreFixture().open();
    const sink = await store.create(INIT);
    const sizes = sizesGivenTo(sink);
    const record = new Uint8Array(100);
    const count = 100_000;
    function* records() {
      for (let i = 0; i < count; i++) yield record;
    }
    await pipeline(
      Readable.from(records(), { objectMode: false }),
      toNodeWritable(sink),
    );
    assert.equal(sink.meta.size, 100 * count);
    assert.ok(sizes.length <= 40, `${sizes.length} writes`);
    await store.close();
  });

  it("holds the producer back while the disk is slow", async () => {
    const { fixture, store, writable } = await open();
    const gate = new Gate();
    fixture.files.inject(hold("write", gate));
    const chunk = new Uint8Array(64 * 1024);
    let written = 0;
    for (let isRoom = true; isRoom && written < 100 * MIB;) {
      isRoom = writable.write(chunk);
      written += chunk.length;
      await letOthersWork(2);
    }
    assert.ok(written <= 5 * MIB, `${written} bytes`);
    gate.open();
    await once(writable, "drain");
    writable.end();
    await finished(writable);
    const [snapshot] = await store.list();
    assert.equal(snapshot?.size, written);
    await store.close();
  });

  it("can't be made of a sink that is locked", async () => {
    const { store, sink, writable } = await open();
    assert.throws(() => toNodeWritable(sink), TypeError);
    writable.destroy();
    await store.close();
  });
});

describe("a Writable of a sink that is destroyed", () => {
  it("publishes nothing, and has removed every trace when it closes", async () => {
    const { fixture, store, sink, writable } = await open();
    const events = eventsOf(writable);
    writable.write(new Uint8Array(3 * MIB));
    writable.destroy();
    await once(writable, "close");
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    assert.deepEqual(events, ["close"]);
    await assert.rejects(sink.published, { published: false });
    await store.close();
    assert.deepEqual(fixture.names(), []);
  });

  it("tells its error once, and gives it to the sink as the reason", async () => {
    const { fixture, store, sink, writable } = await open();
    const events = eventsOf(writable);
    const error = new Error("the producer broke");
    writable.destroy(error);
    assert.deepEqual(await once(writable, "error"), [error]);
    await letOthersWork();
    assert.deepEqual(events, ["error", "close"]);
    assert.deepEqual(fixture.names(), []);
    await assert.rejects(sink.close(), { cause: error });
    await store.close();
  });

  it("refuses to be written to", async () => {
    const { fixture, store, writable } = await open();
    writable.destroy();
    const error = await new Promise<unknown>((resolve) => {
      writable.on("error", () => {});
      writable.write("late", resolve);
    });
    assert.equal((error as { code?: string }).code, "ERR_STREAM_DESTROYED");
    await store.close();
    assert.deepEqual(fixture.names(), []);
  });

  it("publishes nothing while its last bytes are on their way to the disk", async () => {
    const { fixture, store, writable } = await open();
    const gate = new Gate();
    fixture.files.inject(hold("write", gate));
    const events = eventsOf(writable);
    writable.end(new Uint8Array(3 * MIB));
    await letOthersWork();
    writable.destroy();
    gate.open();
    if (!writable.closed) await once(writable, "close");
    assert.deepEqual(events, ["close"]);
    await store.close();
    assert.deepEqual(fixture.names(), []);
  });

  it("waits for a publication that is under way, whose outcome the sink tells", async () => {
    const { fixture, store, sink, writable } = await open();
    const gate = new Gate();
    fixture.files.inject(hold("rename", gate));
    const events = eventsOf(writable);
    writable.end("state");
    await until(
      () => fixture.trace().some((line) => line.startsWith("rename")),
      "the publication to begin",
    );
    writable.destroy();
    await letOthersWork();
    assert.deepEqual(events, []);
    gate.open();
    await once(writable, "close");
    assert.deepEqual(events, ["close"]);
    assert.equal((await sink.published).size, 5);
    assert.deepEqual(await listIds(store), [sink.id]);
    await store.close();
  });
});

describe("a pipeline into a Writable of a sink", () => {
  for (const name of ["write", "sync"] as const) {
    it(`rejects once when the disk is full at a ${name}, and the process lives on`, async () => {
      const { fixture, store, writable } = await open();
      fixture.files.inject(failOn(name, "ENOSPC"));
      const events = eventsOf(writable);
      const chunks = Array.from({ length: 64 }, () => new Uint8Array(MIB / 8));
      const unhandled = await unhandledDuring(() =>
        assert.rejects(pipeline(Readable.from(chunks), writable), {
          name: "SnapshotPublishError",
          systemCode: "ENOSPC",
          published: false,
        })
      );
      assert.deepEqual(unhandled, []);
      assert.deepEqual(events, ["error", "close"]);
      assert.deepEqual(fixture.names(), []);
      fixture.files.inject();
      await store.close();
    });
  }

  it("publishes nothing when its signal aborts", async () => {
    const { fixture, store, writable } = await open();
    const controller = new AbortController();
    async function* endless() {
      for (let i = 0;; i++) {
        if (i === 30) controller.abort();
        yield new Uint8Array(MIB / 8);
        await letOthersWork(1);
      }
    }
    const { signal } = controller;
    const unhandled = await unhandledDuring(() =>
      assert.rejects(pipeline(endless(), writable, { signal }), {
        name: "AbortError",
      })
    );
    assert.deepEqual(unhandled, []);
    if (!writable.closed) await once(writable, "close");
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("publishes nothing when the stream before it closes before its end", async () => {
    const { fixture, store, writable } = await open();
    const source = new Readable({ read() {} });
    source.push(new Uint8Array(MIB));
    const piped = pipeline(source, writable);
    await letOthersWork();
    source.destroy();
    await assert.rejects(piped, { code: "ERR_STREAM_PREMATURE_CLOSE" });
    if (!writable.closed) await once(writable, "close");
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });
});

describe("a Writable whose sink ends without it", () => {
  it("fails when the store is closed, also while nothing is written", async () => {
    const { store, writable } = await open();
    const events = eventsOf(writable);
    const told = once(writable, "error");
    await store.close();
    const [error] = await told;
    assert.ok(error instanceof SnapshotPublishError);
    assert.ok(error.cause instanceof StoreClosedError);
    await letOthersWork();
    assert.deepEqual(events, ["error", "close"]);
  });

  it("fails with an error, whatever the sink was cancelled with", async () => {
    for (const reason of ["enough", null, undefined]) {
      const { store, sink, writable } = await open();
      const told = once(writable, "error");
      await sink.cancel(reason);
      const [error] = await told;
      assert.ok(error instanceof SnapshotPublishError);
      await store.close();
    }
  });
});
