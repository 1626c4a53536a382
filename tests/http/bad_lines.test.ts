/**
 * openHttpSnapshotStore() over lines that fail.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  MemorySnapshotStore,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  StoreAccessError,
  type StoreEvent,
} from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";
import { bytes } from "../support/random.ts";
import { INIT } from "../support/store_fixture.ts";
import {
  answerWith,
  changeBody,
  cutAfter,
  type Fault,
  FaultyLine,
  noAnswer,
  stallAfter,
} from "./faulty_line.ts";
import { setTime } from "./monotonic_clock.ts";
import { connect, install } from "./remote.ts";
import { BLOCK, SERVER, STATE } from "./served.ts";

describe("a line that breaks", () => {
  for (const end of ["error", "clean"] as const) {
    it(`resumes with the next byte after a cut that is ${end === "error" ? "seen" : "a clean end"}`, async () => {
      const { line, remote, id } = await connect();
      line.onState = cutAfter(1000, end);
      assert.deepEqual(await install({ remote, id }), STATE);
      assert.deepEqual(
        line.ranges,
        [0, 1000, 2000, 3000, 4000].map((start) =>
          `bytes=${start}-${STATE.length - 1}`
        ),
      );
    });
  }

  it("resumes after a stall, on a clock of its own", async () => {
    const { line, remote, id } = await connect({ stallTimeoutMs: 5 });
    line.onState = stallAfter(1000);
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.ok(line.ranges.includes(`bytes=1000-${STATE.length - 1}`));
  });

  it("is not given up as long as there is progress", async () => {
    // Each request gives one byte: more attempts than any count would allow.
    const { line, remote, id } = await connect({}, {}, bytes(200, 1));
    line.onState = cutAfter(1, "error");
    assert.deepEqual(await install({ remote, id }), bytes(200, 1));
    assert.equal(line.ranges.length, 200);
  });

  it("has the whole budget again after each byte", async () => {
    let time = 0;
    const { line, remote, id } = await connect({}, {}, bytes(20, 1));
    line.onState = (response, request) => {
      time += 50_000;
      return cutAfter(1, "error")(response, request);
    };
    const restoreTime = setTime(() => time);
    try {
      assert.deepEqual(await install({ remote, id }), bytes(20, 1));
    } finally {
      restoreTime();
    }
  });

  it("is given up when there is no progress within the budget", async () => {
    const retry = { budgetMs: 20, pauseMs: 1, pauseMsMax: 2 };
    const faults: Fault[] = [
      cutAfter(0, "error"),
      cutAfter(0, "clean"),
      stallAfter(0),
      answerWith("Bad gateway", { status: 502 }),
      answerWith("<html>", { status: 200 }),
      noAnswer(() => Promise.reject(new TypeError("fetch failed"))),
      noAnswer(() => new Promise(() => {})),
      // A caller's fetch may do so.
      noAnswer(() => Promise.reject(null)),
    ];
    for (const fault of faults) {
      // The budget ends a stall, too.
      const options = { retry, stallTimeoutMs: 600_000 };
      const { served, line, remote, id } = await connect(options);
      line.onState = fault;
      await assert.rejects(install({ remote, id }), (error) => {
        assert.ok(error instanceof StoreAccessError);
        assert.match(
          error.message,
          /no progress for 0\.0\d+ s; the last attempt/,
        );
        return true;
      });
      await remote.close();
      assert.equal(served.fixture.openHandles, 0);
    }
  });

  it("is tried again as late as the server asks for", async () => {
    const { served, line, remote, id } = await connect({}, { maxTransfers: 1 });
    const busy = await served.state();
    let isFreed = false;
    line.onState = async (response) => {
      if (response.status !== 503) return response;
      isFreed = true;
      await busy.body?.cancel();
      const headers = { "retry-after": "0" };
      return new Response(response.body, { status: 503, headers });
    };
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.equal(isFreed, true);
  });
});

describe("a line that is tried again", () => {
  it("is told of by an event for each further attempt", async () => {
    const events: StoreEvent[] = [];
    const onEvent = (event: StoreEvent) => void events.push(event);
    const { line, remote, id } = await connect({ onEvent });
    line.onState = cutAfter(2000, "error");
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.deepEqual(
      events.map((event) => event.type === "retrying" && event.operation),
      Array(2).fill(`read state.bin of snapshot ${id}`),
    );
  });
});

describe("restore() over a line that is dead", () => {
  it("uses up one budget, not one for each attempt of a busy process", async () => {
    const retry = { budgetMs: 20, pauseMs: 1, pauseMsMax: 2 };
    const { line, remote } = await connect({ retry });
    line.onState = cutAfter(0, "error");
    let calls = 0;
    const restore = async (state: ReadableStream) => {
      calls++;
      await new Response(state).arrayBuffer();
    };
    await assert.rejects(remote.restore(restore), StoreAccessError);
    assert.equal(calls, 1);
  });
});

describe("a line that damages bytes", () => {
  const flip = (at: number) => (body: Uint8Array) =>
    body.map((byte, i) => i === at ? byte ^ 1 : byte);

  it("costs the damaged block again, not the file", async () => {
    const { line, remote, id } = await connect();
    let isFirst = true;
    line.onState = (response, request) => {
      if (!isFirst) return response;
      isFirst = false;
      return changeBody(flip(3 * BLOCK + 7))(response, request);
    };
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.ok(line.ranges.includes("bytes=1536-2047"));
  });

  it("is not trusted behind a damaged block: the answer may be shifted", async () => {
    const { line, remote, id } = await connect();
    let isFirst = true;
    line.onState = (response, request) => {
      if (!isFirst) return response;
      isFirst = false;
      // A part comes twice, and so the rest is in the wrong place.
      const twice = (body: Uint8Array) =>
        new Uint8Array([...body.slice(0, 900), ...body.slice(800)]);
      return changeBody(twice)(response, request);
    };
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.ok(line.ranges.length < 10, String(line.ranges));
  });

  it("is an error that names the block, when it always damages it", async () => {
    const { line, remote, id } = await connect();
    line.onState = (response, request) => {
      const [, start = ""] = /bytes=(\d+)/.exec(
        request.headers.get("range") ?? "",
      ) ?? [];
      return changeBody(flip(1600 - Number(start)))(response, request);
    };
    await assert.rejects(install({ remote, id }), (error) => {
      assert.ok(error instanceof SnapshotCorruptError);
      assert.deepEqual([error.reason, error.offset], ["block", 1536]);
      return true;
    });
  });

  it("makes a snapshot without block checksums start again, once", async () => {
    for (const isMended of [true, false]) {
      const { served, line, remote, id } = await connect();
      await served.fixture.unseal(id);
      let count = 0;
      line.onState = (response, request) =>
        isMended && count++ > 0
          ? response
          : changeBody(flip(700))(response, request);
      const whole = `bytes=0-${STATE.length - 1}`;
      if (isMended) assert.deepEqual(await install({ remote, id }), STATE);
      else await assert.rejects(install({ remote, id }), SnapshotCorruptError);
      assert.deepEqual(line.ranges, [whole, whole]);
    }
  });

  it("is noticed in the small files, which are asked for again", async () => {
    for (const part of ["", "/meta", "/blocks"]) {
      const { line, remote, id } = await connect();
      const { fetch } = line;
      let isFirst = true;
      const noisy: typeof fetch = async (url, init) => {
        const response = await fetch(url, init);
        if (!url.endsWith(`snapshots${part === "" ? "" : `/${id}${part}`}`)) {
          return response;
        }
        if (!isFirst) return response;
        isFirst = false;
        return await changeBody(flip(9))(response, new Request(url));
      };
      const store = await openHttpSnapshotStore(SERVER, {
        fetch: noisy,
        retry: { pauseMs: 1 },
      });
      assert.deepEqual(await store.list(), await remote.list());
      assert.equal(isFirst, false);
    }
  });

  it("does not take another range, size or snapshot for the one asked for", async () => {
    const { line, remote, id } = await connect();
    const change = (name: string, value: string): Fault => (response) => {
      const headers = new Headers(response.headers);
      headers.set(name, value);
      return new Response(response.body, { status: response.status, headers });
    };
    const ranges = [
      change("content-range", `bytes 1-${STATE.length}/${STATE.length + 1}`),
      change("content-range", `bytes 0-${STATE.length - 1}/*`),
      change("etag", '"other"'),
      (response: Response) =>
        new Response(response.body, {
          status: 200,
          headers: response.headers,
        }),
    ];
    let count = 0;
    line.onState = (response, request) =>
      ranges[count++]?.(response, request) ?? response;
    assert.deepEqual(await install({ remote, id }), STATE);
    assert.equal(line.ranges.length, ranges.length + 1);
  });

  it("does not believe a problem that is about another snapshot", async () => {
    const { line, remote, id } = await connect();
    const body = JSON.stringify({
      status: 503,
      code: "snapshot-not-found",
      id: "9-9-9",
    });
    const headers = { "content-type": "application/problem+json" };
    line.faults.push(answerWith(body, { status: 503, headers }));
    assert.equal((await remote.stat(id)).id, id);
  });
});

describe("a snapshot that is replaced while it is read", () => {
  it("makes the copy start again", async () => {
    // Two servers that give the same ID to different states.
    const options = { clock: () => 1, blockSize: BLOCK };
    const other = bytes(STATE.length, 9);
    const handlers = [];
    const ids = new Set<string>();
    for (const state of [STATE, other]) {
      const store = new MemorySnapshotStore(options);
      ids.add((await store.save(INIT, state)).id);
      handlers.push(snapshotHandler(store, { authorize: () => true }));
    }
    const [id = ""] = ids;
    assert.equal(ids.size, 1);
    const [before, after] = handlers;
    let handler = before;
    const line = new FaultyLine((request) =>
      handler?.(request) ?? Promise.reject(new Error("no handler"))
    );
    const { fetch } = line;
    const remote = await openHttpSnapshotStore(SERVER, { fetch });
    line.onState = (response, request) => {
      if (handler === after) return response;
      handler = after;
      return cutAfter(1000, "error")(response, request);
    };
    assert.deepEqual(await install({ remote, id }), other);
    const whole = `bytes=0-${STATE.length - 1}`;
    assert.deepEqual(line.ranges, [
      whole,
      `bytes=1000-${STATE.length - 1}`,
      whole,
    ]);
  });

  it("is an error when it is gone", async () => {
    const { served, line, remote, id } = await connect();
    await served.store.save({ ...INIT, index: 11n }, STATE);
    line.onState = async (response, request) => {
      if (response.status !== 206) return response;
      const cut = await cutAfter(1000, "error")(response, request);
      await served.store.delete(id);
      return cut;
    };
    await assert.rejects(install({ remote, id }), SnapshotNotFoundError);
  });
});
