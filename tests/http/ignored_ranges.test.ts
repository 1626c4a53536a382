/**
 * openHttpSnapshotStore() over a line that removes `Range`, so that each answer
 * is the whole state.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreAccessError } from "@raft/snapshots";
import type { HttpSnapshotStoreOptions } from "@raft/snapshots/http";
import { changeBody, cutAfter, type Fault } from "./faulty_line.ts";
import { setTime } from "./monotonic_clock.ts";
import { connect, install, type Setup } from "./remote.ts";
import { BLOCK, STATE } from "./served.ts";

const unchanged: Fault = (response) => response;

/** Connects over such a line; `faultOf` gives the fault of each answer. */
async function connectWithoutRanges(
  faultOf: (count: number) => Fault = () => unchanged,
  options: HttpSnapshotStoreOptions = {},
): Promise<Setup> {
  const setup = await connect(options);
  let count = 0;
  setup.line.onState = async (response, request) => {
    await response.body?.cancel();
    const headers = new Headers(request.headers);
    headers.delete("range");
    const whole = await setup.served.handler(new Request(request, { headers }));
    assert.equal(whole.status, 200);
    return await faultOf(count++)(whole, request);
  };
  return setup;
}

/** Later than a wait of 0 ms would end. */
function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Gives the body in small pieces, and calls `onPiece` before each. */
function inPieces(onPiece: () => void): Fault {
  return async (response) => {
    let left = new Uint8Array(await response.arrayBuffer());
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        onPiece();
        await later();
        controller.enqueue(left.subarray(0, 250));
        left = left.subarray(250);
        if (left.length === 0) controller.close();
      },
    }, { highWaterMark: 0 });
    const { status, headers } = response;
    return new Response(body, { status, headers });
  };
}

describe("a line that removes ranges", () => {
  it("gives a whole state", async () => {
    const { served, line, remote, id } = await connectWithoutRanges();
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.equal(line.ranges.length, 1);
    assert.equal(served.fixture.openHandles, 0);
  });

  it("gives a part of a state, behind bytes that are skipped", async () => {
    const { served, line, remote, id } = await connectWithoutRanges();
    const source = await remote.open(id, { start: 600, end: 1700 });
    const part = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(part, STATE.slice(600, 1700));
    assert.equal(line.ranges.length, 1);
    assert.equal(served.fixture.openHandles, 0);
  });

  it("gives the rest after a cut", async () => {
    const cuts = [1000, 1000, 999, BLOCK, 3000];
    const { line, remote, id } = await connectWithoutRanges((count) => {
      const size = cuts[count];
      return size === undefined ? unchanged : cutAfter(size, "clean");
    });
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.equal(line.ranges.length, cuts.length + 1);
  });

  it("gives a damaged block again", async () => {
    const flip = changeBody((body) =>
      body.map((byte, i) => i === 1600 ? ~byte : byte)
    );
    const { remote, id } = await connectWithoutRanges((count) =>
      count === 0 ? flip : unchanged
    );
    assert.deepEqual(await install({ remote, id }), STATE);
  });

  it("is given up when it always cuts before the first missing byte", async () => {
    const retry = { budgetMs: 20, pauseMs: 1, pauseMsMax: 2 };
    const { served, remote, id } = await connectWithoutRanges(
      () => cutAfter(1000, "error"),
      { retry },
    );
    await assert.rejects(install({ remote, id }), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(error.message, /no progress for 0\.0\d+ s; .*reset/);
      return true;
    });
    await remote.close();
    assert.equal(served.fixture.openHandles, 0);
  });

  it("may need longer than the budget for the bytes that are skipped", async () => {
    let time = 0;
    const slow = inPieces(() => time += 50_000);
    const { line, remote, id } = await connectWithoutRanges((count) =>
      count === 0 ? cutAfter(4000, "error") : slow
    );
    const restoreTime = setTime(() => time);
    try {
      assert.deepEqual(await install({ remote, id }), STATE);
    } finally {
      restoreTime();
    }
    assert.equal(line.ranges.length, 2);
  });
});
