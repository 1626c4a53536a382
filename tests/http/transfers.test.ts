/**
 * Transfers: how many there are, how fast they are, and how they end.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { transfer } from "../../src/http/transfer.ts";
import { streamOfChunks, until } from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";
import { bodyOf, Served, STATE } from "./served.ts";

const openHandles = (served: Served) => served.fixture.openHandles;

describe("a further transfer than allowed", () => {
  it("is answered with 503 and Retry-After, before any work", async () => {
    const served = await Served.make({ maxTransfers: 2 });
    const running = [
      await served.state(),
      await served.get(`/${served.id}/archive`),
    ];
    const since = served.fixture.files.trace.length;
    for (const path of [`/${served.id}`, `/${served.id}/archive`, "/9-9-9"]) {
      const busy = await served.get(path);
      assert.equal(busy.status, 503);
      assert.equal(busy.headers.get("retry-after"), "1");
      assert.equal((await busy.json()).code, "busy");
    }
    assert.deepEqual(served.fixture.trace(since), []);
    // Small answers are still sent.
    const list = await served.get();
    assert.equal(list.status, 200);
    await list.body?.cancel();
    await running[0]?.body?.cancel();
    const next = await served.state();
    assert.equal(next.status, 200);
    assert.deepEqual(await bodyOf(next), STATE);
    await running[1]?.body?.cancel();
  });

  it("is possible again after each way in which one ends", async () => {
    const served = await Served.make({ maxTransfers: 1 });
    const { id } = served;
    const answers = [
      () => served.state(),
      () => served.state({}, { method: "HEAD" }),
      () => served.state({ range: "bytes=99999-" }),
      () => served.state({ "if-match": '"other"' }),
      () => served.get("/9-9-9"),
      () => served.get(`/${id}/archive`),
    ];
    for (const answer of answers) {
      const response = await answer();
      assert.notEqual(response.status, 503);
      await response.arrayBuffer();
    }
    served.fixture.corrupt(id, 3000);
    await assert.rejects(bodyOf(await served.state()));
    const last = await served.state();
    assert.notEqual(last.status, 503);
    // Its clock would keep the process alive.
    await last.body?.cancel();
  });
});

describe("a reader who leaves", () => {
  it("frees the file", async () => {
    const served = await Served.make();
    const { body } = await served.state();
    assert.equal(openHandles(served), 1);
    await body?.cancel();
    await until(() => openHandles(served) === 0, "the file is closed");
  });
});

describe("a reader who takes nothing", () => {
  it("is given up, which frees the file", async () => {
    const served = await Served.make({ stallTimeoutMs: 5 });
    const { body } = await served.state();
    const archive = await served.get(`/${served.id}/archive`);
    const given = () => served.log.matching("info", "has taken no bytes");
    await until(() => given().length === 2, "both are given up");
    await assert.rejects(body?.getReader().read() ?? Promise.resolve());
    await assert.rejects(archive.arrayBuffer());
    await until(() => openHandles(served) === 0, "the file is closed");
  });

  it("is given up in the middle of a state, too", async () => {
    const served = await Served.make({ stallTimeoutMs: 5 }, bytes(600_000, 1));
    const { body } = await served.state();
    const reader = body?.getReader();
    const { value } = await reader?.read() ?? {};
    assert.ok(value && value.length < 600_000);
    await until(() => openHandles(served) === 0, "the file is closed");
  });
});

/** A stream of one long chunk. */
function source(size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
}

describe("a transfer", () => {
  it("hands over small pieces, so that a slow reader does not look stalled", async () => {
    const stream = await transfer(source(1_000_000), {
      stallTimeoutMs: 60_000,
      bytesPerSecond: Infinity,
      onEnd() {},
    });
    const sizes: number[] = [];
    for await (const piece of stream) sizes.push(piece.length);
    assert.equal(Math.max(...sizes), 256 * 1024);
    assert.equal(sizes.reduce((a, b) => a + b), 1_000_000);
  });

  it("hands over no empty piece", async () => {
    const chunks = [0, 3, 0, 2, 0].map((size) => new Uint8Array(size));
    const stream = await transfer(streamOfChunks(...chunks), {
      stallTimeoutMs: 60_000,
      bytesPerSecond: Infinity,
      onEnd() {},
    });
    const sizes: number[] = [];
    for await (const piece of stream) sizes.push(piece.length);
    assert.deepEqual(sizes, [3, 2]);
  });

  it("with a limited rate never looks stalled because of its own pauses", async () => {
    let end: readonly unknown[] = ["not ended"];
    const stream = await transfer(source(1_000), {
      // Each piece takes 100 ms: much longer than the clock of the reader.
      stallTimeoutMs: 5,
      bytesPerSecond: 3_000,
      onEnd: (...reason) => end = reason,
    });
    const sizes: number[] = [];
    for await (const piece of stream) sizes.push(piece.length);
    assert.deepEqual(sizes, [300, 300, 300, 100]);
    assert.deepEqual(end, []);
  });

  it("passes on the failure of its source, once", async () => {
    const failure = new Error("the disk is gone");
    const ends: unknown[] = [];
    let reads = 0;
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (reads++ > 0) throw failure;
        controller.enqueue(new Uint8Array(1));
      },
    }, { highWaterMark: 0 });
    const stream = await transfer(failing, {
      stallTimeoutMs: 60_000,
      bytesPerSecond: Infinity,
      onEnd: (error) => ends.push(error),
    });
    const isFailure = (error: unknown) => error === failure;
    const reader = stream.getReader();
    assert.equal((await reader.read()).value?.length, 1);
    await assert.rejects(reader.read(), isFailure);
    assert.deepEqual(ends, [failure]);
  });

  it("does not wait long for its first bytes, so that it sees the client leave", async () => {
    let isCancelled = false;
    const hanging = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => {}),
      cancel() {
        isCancelled = true;
      },
    });
    const ends: unknown[] = [];
    const stream = await transfer(hanging, {
      stallTimeoutMs: 60_000,
      bytesPerSecond: Infinity,
      onEnd: (error) => ends.push(error),
    });
    const left = new Error("left");
    await stream.cancel(left);
    assert.ok(isCancelled);
    assert.deepEqual(ends, [left]);
  });

  it("does not begin when its source fails at once", async () => {
    const failure = new Error("the disk is gone");
    const failing = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(failure),
    });
    const beginning = transfer(failing, {
      stallTimeoutMs: 60_000,
      bytesPerSecond: Infinity,
      onEnd: () => assert.fail("it has not begun"),
    });
    await assert.rejects(beginning, (error) => error === failure);
  });
});
