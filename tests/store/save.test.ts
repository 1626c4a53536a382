/**
 * save(): whole snapshots from bytes, streams and iterables; and checks of a state
 * against its expected size and CRC.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import {
  MemorySnapshotStore,
  SnapshotCorruptError,
  type SnapshotMeta,
  SnapshotPublishError,
  type SnapshotStore,
  type StateInput,
  StoreClosedError,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import { failOn } from "@raft/snapshots/testing";
import {
  encode,
  INIT,
  letOthersWork,
  listIds,
  load,
  StoreFixture,
} from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";

const MIB = 1024 * 1024;

/** The store in a directory and the one in memory. */
const STORES: Readonly<Record<string, () => Promise<SnapshotStore>>> = {
  "a file store": () => new StoreFixture().open({ blockSize: 512 }),
  "a memory store": () =>
    Promise.resolve(new MemorySnapshotStore({ blockSize: 512 })),
};

async function readBack(
  store: SnapshotStore,
  { id }: SnapshotMeta,
): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(await store.open(id)).arrayBuffer(),
  );
}

function* pieces(state: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < state.length; at += length) {
    yield state.subarray(at, at + length);
  }
}

async function* piecesLater(
  state: Uint8Array,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces(state, length)) {
    await Promise.resolve();
    yield piece;
  }
}

const STATE = bytes(5000, 1);

/** The same state in every form that save() takes. */
const FORMS: Readonly<Record<string, () => StateInput>> = {
  "a Uint8Array": () => STATE,
  "an ArrayBuffer": () => STATE.slice().buffer,
  "a DataView": () => new DataView(STATE.slice().buffer),
  "a Blob": () => new Blob([STATE]),
  "a Response": () => new Response(STATE),
  "a ReadableStream": () => new Blob([STATE]).stream(),
  "an array of chunks": () => [...pieces(STATE, 700)],
  "a generator of small chunks": () => pieces(STATE, 7),
  "an async generator": () => piecesLater(STATE, 70),
};

for (const [name, open] of Object.entries(STORES)) {
  describe(`save() of ${name}`, () => {
    for (const [form, make] of Object.entries(FORMS)) {
      it(`takes ${form}`, async () => {
        const store = await open();
        const meta = await store.save(INIT, make());
        assert.equal(meta.size, STATE.length);
        assert.equal(meta.crc, crc64(STATE));
        assert.deepEqual(await readBack(store, meta), STATE);
        assert.deepEqual(await listIds(store), [meta.id]);
        await store.close();
      });
    }

    it("may be given one buffer again and again", async () => {
      const store = await open();
      const record = new Uint8Array(100);
      function* records() {
        for (let i = 0; i < 200; i++) yield record.fill(i);
      }
      const meta = await store.save(INIT, records());
      const expected = new Uint8Array(20_000);
      for (let i = 0; i < 200; i++) expected.fill(i, i * 100, i * 100 + 100);
      assert.deepEqual(await readBack(store, meta), expected);
      await store.close();
    });

    it("takes chunks of all kinds among many small ones", async () => {
      const store = await open();
      const small = new Uint8Array([1, 2, 3]);
      const odd: readonly unknown[] = [
        new Uint8Array(),
        new Uint8Array([0, 4, 5, 0]).subarray(1, 3),
        new DataView(Uint8Array.of(6).buffer),
        Uint8Array.of(7, 8).buffer,
        new (class extends Uint8Array {})([9]),
        Uint16Array.of(0x0b0a),
        new Uint8Array(2000).fill(12),
      ];
      function* chunks() {
        for (const chunk of odd) {
          for (let i = 0; i < 300; i++) yield small;
          yield chunk as Uint8Array;
        }
      }
      const meta = await store.save(INIT, chunks());
      const many = Array<number[]>(300).fill([1, 2, 3]).flat();
      const expected = [[], [4, 5], [6], [7, 8], [9], [10, 11]]
        .flatMap((bytes) => [...many, ...bytes]);
      assert.deepEqual(
        await readBack(store, meta),
        Uint8Array.from([...expected, ...many, ...Array(2000).fill(12)]),
      );
      await store.close();
    });

    it("refuses a small chunk that has lost its bytes or lies about them", async () => {
      const store = await open();
      const transferred = new Uint8Array(9);
      structuredClone(transferred.buffer, { transfer: [transferred.buffer] });
      const long = new Uint8Array(9);
      Object.defineProperty(long, "length", { value: 10 });
      for (const chunk of [transferred, long]) {
        const state = [new Uint8Array(9), chunk, new Uint8Array(9)];
        await assert.rejects(store.save(INIT, state), TypeError);
      }
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("leaves nothing and ends the iterable when the iterable fails", async () => {
      const store = await open();
      const mine = new Error("mine");
      await assert.rejects(
        store.save(
          INIT,
          (function* () {
            yield STATE;
            throw mine;
          })(),
        ),
        mine,
      );
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("ends the iterable when a chunk is not bytes", async () => {
      const store = await open();
      let ended = false;
      function* chunks() {
        try {
          yield STATE;
          yield "text" as unknown as Uint8Array;
        } finally {
          ended = true;
        }
      }
      await assert.rejects(store.save(INIT, chunks()), TypeError);
      assert.ok(ended);
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("ends an async iterable that is stuck when the signal aborts", async () => {
      const store = await open();
      const controller = new AbortController();
      const reason = new Error("enough");
      let ended = false;
      const stuck: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: () => {
            ended = true;
            return Promise.resolve({ done: true, value: undefined });
          },
        }),
      };
      const saving = store.save(INIT, stuck, { signal: controller.signal });
      await letOthersWork();
      controller.abort(reason);
      await assert.rejects(saving, reason);
      assert.ok(ended);
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("cancels a stream when the store is closed", async () => {
      const store = await open();
      let cancelled: unknown;
      const endless = new ReadableStream<Uint8Array>({
        cancel: (reason) => void (cancelled = reason),
      });
      const saving = store.save(INIT, endless);
      saving.catch(() => {});
      await letOthersWork();
      await store.close();
      await assert.rejects(saving, StoreClosedError);
      assert.ok(cancelled instanceof StoreClosedError);
    });

    it("rejects at once when the signal has aborted before", async () => {
      const store = await open();
      const reason = new Error("too late");
      let isCancelled = false;
      const stream = new ReadableStream<Uint8Array>({
        cancel: () => void (isCancelled = true),
      });
      const signal = AbortSignal.abort(reason);
      await assert.rejects(store.save(INIT, stream, { signal }), reason);
      assert.ok(isCancelled);
      await store.close();
    });

    it("rejects values that are not states with a TypeError", async () => {
      const store = await open();
      const read = new Response("read");
      await read.text();
      const locked = new Blob(["x"]).stream();
      locked.getReader();
      for (const state of [undefined, null, 1, "text", {}, read, locked]) {
        await assert.rejects(
          store.save(INIT, state as unknown as StateInput),
          TypeError,
        );
      }
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("reports its progress, and the total where it is known", async () => {
      const store = await open();
      const told: string[] = [];
      const onProgress = (
        { done, total }: { readonly done: number; readonly total: number },
      ) => void told.push(`${done}/${total}`);
      await store.save(INIT, STATE, { onProgress });
      await store.save(INIT, pieces(STATE, 3000), { onProgress });
      assert.deepEqual(told, ["5000/5000", "3000/0", "5000/0"]);
      told.length = 0;
      await store.save(INIT, pieces(STATE, 100), { onProgress });
      assert.equal(told.at(-1), "5000/0");
      assert.ok(told.length < 20, `${told.length} calls for 10 blocks`);
      await store.close();
    });
  });

  describe(`the expected state of ${name}`, () => {
    const cases = {
      "too short": { size: 5001 },
      "too long": { size: 4999 },
      "of another CRC": { crc: 1n },
    };
    for (const [fault, expected] of Object.entries(cases)) {
      it(`is never published when it is ${fault}`, async () => {
        const store = await open();
        const isExpected = (error: unknown) => {
          assert.ok(error instanceof SnapshotPublishError);
          assert.equal(error.published, false);
          assert.ok(error.cause instanceof SnapshotCorruptError);
          const reason = "crc" in expected ? "crc" : "size";
          assert.equal(error.cause.reason, reason);
          return true;
        };
        await assert.rejects(
          store.save(INIT, STATE, { expected }),
          isExpected,
        );
        const sink = await store.create(INIT, { expected });
        const writer = sink.getWriter();
        await assert.rejects(async () => {
          await writer.write(STATE);
          await writer.close();
        }, isExpected);
        await assert.rejects(sink.close(), isExpected);
        assert.deepEqual(await store.list(), []);
        await store.close();
      });
    }

    it("ends a generator of small chunks that is longer", async () => {
      const store = await open();
      let yielded = 0;
      let ended = false;
      function* endless() {
        try {
          for (;; yielded += 9) yield new Uint8Array(9);
        } finally {
          ended = true;
        }
      }
      await assert.rejects(
        store.save(INIT, endless(), { expected: { size: 4000 } }),
        SnapshotPublishError,
      );
      assert.ok(ended);
      assert.ok(yielded <= 4000 + 512, `${yielded} bytes`);
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it("is published when it is as expected", async () => {
      const store = await open();
      const expected = { size: STATE.length, crc: crc64(STATE) };
      const { id } = await store.save(INIT, STATE, { expected });
      assert.deepEqual(await listIds(store), [id]);
      await store.close();
    });

    it("must be a possible size and CRC", async () => {
      const store = await open();
      for (const size of [-1, 1.5, NaN]) {
        await assert.rejects(
          store.create(INIT, { expected: { size } }),
          RangeError,
        );
      }
      await assert.rejects(
        store.create(INIT, { expected: { crc: 2n ** 64n } }),
        RangeError,
      );
      await assert.rejects(
        store.create(INIT, { expected: { crc: 1 as unknown as bigint } }),
        TypeError,
      );
      await store.close();
    });
  });
}

describe("save()", () => {
  it("leaves turns to the event loop, also of a generator", async () => {
    const store = new MemorySnapshotStore({ blockSize: 32 * MIB });
    const chunk = new Uint8Array(1000);
    let turns = 0;
    let isRunning = true;
    const count = () => {
      if (!isRunning) return;
      turns++;
      setImmediate(count);
    };
    function* chunks() {
      for (let i = 0; i < 32 * MIB; i += chunk.length) yield chunk;
    }
    setImmediate(count);
    await store.save(INIT, chunks());
    isRunning = false;
    assert.ok(turns >= 6, `${turns} turns in 32 MiB`);
    await store.close();
  });

  it("makes a generator wait for a disk that is slow", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    let release = () => {};
    const opened = new Promise<void>((resolve) => release = resolve);
    fixture.files.inject(({ name, path }) =>
      name === "write" && path.endsWith("state.bin")
        ? { wait: opened }
        : undefined
    );
    let yielded = 0;
    function* chunks() {
      for (; yielded < 1000; yielded++) yield new Uint8Array(100);
    }
    const saving = store.save(INIT, chunks());
    await letOthersWork(20);
    assert.ok(yielded <= 12, `${yielded} chunks of 100 bytes`);
    release();
    await saving;
    await store.close();
  });

  it("rejects when the disk fails, ends the generator and leaves nothing", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    fixture.files.inject(failOn("write", "ENOSPC", { path: /state\.bin$/ }));
    let ended = false;
    function* chunks() {
      try {
        for (;;) yield new Uint8Array(100);
      } finally {
        ended = true;
      }
    }
    await assert.rejects(store.save(INIT, chunks()), (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.deepEqual([error.systemCode, error.published], ["ENOSPC", false]);
      return true;
    });
    assert.ok(ended);
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("tells of a disk that fails while an async iterable is stuck", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    fixture.files.inject(failOn("write", "ENOSPC", { path: /state\.bin$/ }));
    // The failure of the first block is noticed at the end of the second one.
    let given = 0;
    let ended = false;
    const stuck: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          given++ < 2 * 512
            ? Promise.resolve({ done: false, value: Uint8Array.of(given) })
            : new Promise(() => {}),
        return: () => {
          ended = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    await assert.rejects(store.save(INIT, stuck), SnapshotPublishError);
    assert.ok(ended);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("takes the metadata of another snapshot, also of version 0", async () => {
    const store = new MemorySnapshotStore({ retain: 3 });
    const first = await store.save(INIT, encode("one"));
    const copy = await store.save(first, await store.open(first.id));
    assert.equal(await load(store, copy.id), "one");
    assert.deepEqual(copy.configuration, first.configuration);
    const old = await store.save({
      ...first,
      version: 0,
      configuration: { servers: [] },
    }, encode("old"));
    assert.equal(old.version, 1);
    assert.deepEqual(
      old.configuration.servers.map(({ address }) => address),
      ["over here"],
    );
    await store.close();
  });
});
