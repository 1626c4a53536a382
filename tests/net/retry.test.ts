import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  resolveRetryOptions,
  Retry,
  type RetryOptions,
  type RetryWorld,
} from "../../src/net/retry.ts";
import { isTransient, retryAfterMs } from "../../src/net/status.ts";

/** A world in which waiting takes no time. */
class TestWorld implements RetryWorld {
  readonly waits: number[] = [];
  time = 0;
  chance = 1;
  now = () => this.time;
  random = () => this.chance;
  wait = (ms: number) => {
    this.waits.push(ms);
    this.time += ms;
    return Promise.resolve();
  };
}

function retryIn(
  world: RetryWorld,
  options?: RetryOptions,
  signal?: AbortSignal,
) {
  return new Retry(resolveRetryOptions(options), signal, world);
}

const failure = new Error("the line was cut");

describe("retries", () => {
  it("wait longer after each attempt, up to a limit", async () => {
    const world = new TestWorld();
    const retry = retryIn(world, { pauseMs: 10, pauseMsMax: 50 });
    for (let i = 0; i < 5; i++) await retry.pauseAfter(failure);
    assert.deepEqual(world.waits, [10, 20, 40, 50, 50]);
  });

  it("wait for a random part of the pause", async () => {
    const world = new TestWorld();
    world.chance = 0.25;
    await retryIn(world, { pauseMs: 100 }).pauseAfter(failure);
    assert.deepEqual(world.waits, [25]);
  });

  it("wait as long as the other side asks for", async () => {
    const world = new TestWorld();
    await retryIn(world).pauseAfter(failure, 7_000);
    assert.deepEqual(world.waits, [7_000]);
  });

  it("end with the last error when the budget is used up", async () => {
    const world = new TestWorld();
    const retry = retryIn(world, { budgetMs: 1_000, pauseMs: 400 });
    await retry.pauseAfter(new Error("the first"));
    await assert.rejects(
      retry.pauseAfter(failure),
      (error) => error === failure,
    );
    assert.equal(retry.leftMs, 600);
  });

  it("have the whole budget again after progress", async () => {
    const world = new TestWorld();
    const retry = retryIn(world, { budgetMs: 1_000, pauseMs: 400 });
    for (let i = 0; i < 10; i++) {
      await retry.pauseAfter(failure);
      retry.progress();
    }
    assert.deepEqual(world.waits, Array(10).fill(400));
    assert.equal(retry.leftMs, 1_000);
  });

  it("end with the reason of a signal, during a pause too", async () => {
    const reason = new Error("enough");
    const aborted = retryIn(new TestWorld(), {}, AbortSignal.abort(reason));
    const isReason = (error: unknown) => error === reason;
    await assert.rejects(aborted.pauseAfter(failure), isReason);
    const controller = new AbortController();
    const options = resolveRetryOptions({
      pauseMs: 30_000,
      pauseMsMax: 30_000,
    });
    const pausing = new Retry(options, controller.signal).pauseAfter(failure);
    controller.abort(reason);
    await assert.rejects(pausing, isReason);
  });

  it("refuse options that are not numbers in bounds", () => {
    assert.throws(() => resolveRetryOptions({ budgetMs: -1 }), RangeError);
    assert.throws(() => resolveRetryOptions({ budgetMs: 2 ** 31 }), RangeError);
    const text = { pauseMs: "1" } as unknown as RetryOptions;
    assert.throws(() => resolveRetryOptions(text), TypeError);
  });
});

describe("the status of an answer", () => {
  it("tells whether the request may end well later", () => {
    const statuses = [200, 400, 404, 408, 412, 429, 500, 501, 503];
    assert.deepEqual(statuses.filter(isTransient), [408, 429, 500, 503]);
  });

  it("comes with the time to wait, in seconds or as a date", () => {
    const after = (text: string) =>
      retryAfterMs(new Headers({ "retry-after": text }), 1_000_000);
    assert.equal(after("12"), 12_000);
    assert.equal(after(new Date(1_005_000).toUTCString()), 5_000);
    assert.equal(after(new Date(1_000).toUTCString()), 0);
    assert.equal(after("soon"), 0);
    assert.equal(retryAfterMs(new Headers()), 0);
  });
});
