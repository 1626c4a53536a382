/**
 * `toNodeReadable()`: a source as a stream of Node's.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import { SnapshotCorruptError, SnapshotError } from "@raft/snapshots";
import { toNodeReadable } from "@raft/snapshots/node";
import { bytes } from "../support/random.ts";
import {
  letOthersWork,
  save,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const MIB = 1024 * 1024;
const STATE = bytes(5 * MIB + 7, 1);

async function open(corruptAt?: number) {
  const fixture = new StoreFixture();
  const store = await fixture.open();
  const id = await save(store, STATE);
  if (corruptAt !== undefined) fixture.corrupt(id, corruptAt);
  const source = await store.open(id);
  return { fixture, store, source, readable: toNodeReadable(source) };
}

/** Notes each event of a stream by its name; lets nothing flow. */
function eventsOf(stream: Readable): string[] {
  const events: string[] = [];
  for (const name of ["error", "end", "close"]) {
    stream.on(name, () => events.push(name));
  }
  return events;
}

/** Waits until the state's file is closed. */
async function untilClosed(fixture: StoreFixture): Promise<void> {
  await until(
    () =>
      fixture.trace().filter((line) => /^close .*state\.bin/.test(line))
        .length === 2, // once written, once read
    "the file of the state to be closed",
  );
}

describe("toNodeReadable()", () => {
  it("gives the state to a pipeline, into a file", async (t) => {
    const path = join(await temporaryDirectory(t), "state.bin");
    const { fixture, store, readable } = await open();
    await pipeline(readable, createWriteStream(path));
    assert.deepEqual(new Uint8Array(await readFile(path)), STATE);
    await untilClosed(fixture);
    await store.close();
  });

  it("gives the state to a response of node:http", async () => {
    const { store, readable } = await open();
    const server = createServer((_request, response) => {
      pipeline(readable, response).catch(() => {});
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://localhost:${port}/`);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), STATE);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await store.close();
  });

  it("gives Buffers to a loop, and closes the file when that is left early", async () => {
    const { fixture, store, readable } = await open();
    for await (const chunk of readable) {
      assert.ok(Buffer.isBuffer(chunk));
      assert.deepEqual([...chunk.subarray(0, 9)], [...STATE.subarray(0, 9)]);
      break;
    }
    await untilClosed(fixture);
    assert.ok(readable.destroyed);
    await store.close();
  });

  it("reads nothing before its consumer asks, and one chunk ahead at most", async () => {
    let pulls = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls++;
        controller.enqueue(new Uint8Array(MIB));
      },
    }, { highWaterMark: 0 });
    const readable = toNodeReadable(source);
    await letOthersWork();
    assert.equal(pulls, 0);
    readable.once("readable", () => {});
    await until(() => readable.readableLength > 0, "the first chunk");
    await letOthersWork();
    assert.equal(pulls, 1);
    readable.destroy();
  });

  it("can't be made of a source that is locked", async () => {
    const { store, source, readable } = await open();
    assert.throws(() => toNodeReadable(source), TypeError);
    readable.destroy();
    await store.close();
  });
});

describe("a Readable of a source that is destroyed", () => {
  it("closes the file of the snapshot, and tells no error", async () => {
    const { fixture, store, readable } = await open();
    const events = eventsOf(readable);
    readable.read(1);
    await once(readable, "readable");
    readable.destroy();
    await once(readable, "close");
    await untilClosed(fixture);
    assert.deepEqual(events, ["close"]);
    await store.close();
  });

  it("tells the error that it was destroyed with, once", async () => {
    const { fixture, store, readable } = await open();
    const events = eventsOf(readable);
    const error = new Error("the consumer broke");
    readable.destroy(error);
    assert.deepEqual(await once(readable, "error"), [error]);
    await untilClosed(fixture);
    await letOthersWork();
    assert.deepEqual(events, ["error", "close"]);
    await store.close();
  });

  it("closes the file when the signal of its pipeline aborts", async () => {
    const { fixture, store, readable } = await open();
    const controller = new AbortController();
    const { signal } = controller;
    // Its consumer takes nothing.
    const piped = pipeline(readable, new PassThrough(), { signal });
    await letOthersWork();
    controller.abort();
    await assert.rejects(piped, { name: "AbortError" });
    await untilClosed(fixture);
    await store.close();
  });
});

describe("a Readable of a source that fails", () => {
  it("reports a wrong byte once, and does not end", async () => {
    const { store, readable } = await open(3 * MIB);
    const events = eventsOf(readable);
    let size = 0;
    readable.on("data", (chunk) => size += chunk.length);
    const [error] = await once(readable, "error");
    assert.ok(error instanceof SnapshotCorruptError);
    await letOthersWork();
    assert.deepEqual(events, ["error", "close"]);
    assert.equal(size, 3 * MIB);
    await store.close();
  });

  it("makes a pipeline and a loop reject", async () => {
    const piped = await open(0);
    await assert.rejects(
      pipeline(piped.readable, new PassThrough().resume()),
      SnapshotCorruptError,
    );
    await piped.store.close();
    const looped = await open(0);
    await assert.rejects(buffer(looped.readable), SnapshotCorruptError);
    await looped.store.close();
  });

  it("fails with an error, whatever the stream has failed with", async () => {
    for (const reason of [null, undefined, "enough"]) {
      const failing = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(reason),
      });
      await assert.rejects(buffer(toNodeReadable(failing)), (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.equal(error.message, `Cannot read the source: ${reason}`);
        return true;
      });
    }
  });
});
