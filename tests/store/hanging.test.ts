/**
 * Places that do not answer: every wait of the store ends when the caller aborts
 * or the store is closed.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type SnapshotMeta,
  SnapshotPublishError,
  type SnapshotSource,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import { INIT, letOthersWork, until } from "../support/store_fixture.ts";
import {
  BLOCK,
  ChangedBackend,
  fill,
  type Method,
  unseal,
} from "./changed_backend.ts";

/** The methods that only read: a backend may never answer them. */
const READS = [
  "names",
  "readMeta",
  "readBlocks",
  "readExtra",
  "stateSize",
  "openState",
  "handle.read",
] as const satisfies readonly Method[];

type Call = (
  store: SnapshotStore,
  id: string,
  signal: AbortSignal,
) => Promise<unknown>;

const readAll = (source: SnapshotSource) => new Response(source).arrayBuffer();

/** The calls that take a signal. */
const CALLS_WITH_SIGNAL: Readonly<Record<string, Call>> = {
  "open()": async (store, id, signal) =>
    await readAll(await store.open(id, { signal })),
  'open({ verify: "before" })': async (store, id, signal) =>
    await readAll(await store.open(id, { signal, verify: "before" })),
  'open({ verify: "stream" })': async (store, id, signal) =>
    await readAll(await store.open(id, { signal, verify: "stream" })),
  "open() of a range": async (store, id, signal) =>
    await readAll(await store.open(id, { signal, start: 5, end: BLOCK })),
  "verify()": (store, id, signal) => store.verify(id, { signal }),
  "seal()": (store, id, signal) => store.seal(id, { signal }),
  "create() and close()": async (store, _id, signal) => {
    await (await store.create({ ...INIT, index: 9n }, { signal })).close();
  },
};

/** All calls that read. */
const CALLS: Readonly<Record<string, Call>> = {
  ...CALLS_WITH_SIGNAL,
  "list()": (store) => store.list(),
  "restore()": (store) => store.restore(readAll),
  "restore() that finds corruption": (store) =>
    store.restore(() => Promise.reject(new Error("mine"))),
  "reap()": (store) => store.reap(),
  "delete()": (store, id) => store.delete(id),
};

/** A store that has begun a call which reads, and waits for an answer. */
async function begin(method: Method, call: Call, retain = 1) {
  const backend = new ChangedBackend();
  const states = await fill(backend);
  unseal(backend, states);
  const [, , id = ""] = [...states.keys()];
  const store = await backend.open(retain);
  let asked = 0;
  backend.change(method, () => {
    asked++;
    return new Promise(() => {});
  });
  const controller = new AbortController();
  let isSettled = false;
  const outcome = call(store, id, controller.signal).then(
    () => undefined,
    (error: unknown) => error ?? new Error("rejected with nothing"),
  ).finally(() => isSettled = true);
  await until(() => asked > 0 || isSettled, `${method} is asked`);
  // All other work is done before the wait begins.
  await letOthersWork(5);
  return { backend, store, controller, outcome, isSettled: () => isSettled };
}

async function assertNothingIsLeft(backend: ChangedBackend): Promise<void> {
  await until(() => backend.openStates === 0, "every state is closed");
  await until(() => backend.openPending === 0, "every snapshot has ended");
}

describe("a place that never answers", () => {
  for (const method of READS) {
    for (const [name, call] of Object.entries(CALLS)) {
      it(`does not keep ${name} from ending when the store is closed during ${method}`, async () => {
        const { backend, store, outcome, isSettled } = await begin(
          method,
          call,
        );
        const wasSettled = isSettled();
        await store.close();
        const error = await outcome;
        if (!wasSettled && error !== undefined) {
          assert.ok(error instanceof StoreClosedError, String(error));
        }
        await assertNothingIsLeft(backend);
      });
    }

    for (const [name, call] of Object.entries(CALLS_WITH_SIGNAL)) {
      it(`does not keep ${name} from ending at abort during ${method}`, async () => {
        const { backend, store, controller, outcome, isSettled } = await begin(
          method,
          call,
        );
        const wasSettled = isSettled();
        const reason = new Error("enough");
        controller.abort(reason);
        const error = await outcome;
        if (!wasSettled && error !== undefined) assert.equal(error, reason);
        await assertNothingIsLeft(backend);
        await store.close();
      });
    }

    it(`does not keep a source from being cancelled during ${method}`, async () => {
      const backend = new ChangedBackend();
      const [id = ""] = (await fill(backend)).keys();
      const store = await backend.open();
      const source = await store.open(id);
      backend.change(method, () => new Promise(() => {}));
      const reader = source.getReader();
      const read = reader.read().catch(() => {});
      await letOthersWork(5);
      await reader.cancel(new Error("enough"));
      await read;
      await assertNothingIsLeft(backend);
      await store.close();
    });
  }

  it("closes a state that it opens after the caller has left", async () => {
    for (const leave of ["abort", "close"] as const) {
      const backend = new ChangedBackend();
      const [id = ""] = (await fill(backend)).keys();
      const store = await backend.open();
      let answer = () => {};
      const answered = new Promise<void>((resolve) => answer = resolve);
      backend.change("openState", async (asUsual) => {
        await answered;
        return await asUsual();
      });
      const controller = new AbortController();
      const opened = store.open(id, { signal: controller.signal });
      const rejected = assert.rejects(opened);
      await letOthersWork(5);
      if (leave === "abort") controller.abort(new Error("enough"));
      else await store.close();
      await rejected;
      answer();
      await letOthersWork(5);
      assert.equal(backend.openStates, 0, leave);
      await store.close();
    }
  });
});

describe("an append that never settles", () => {
  /** A sink with a write on its way, and a close() perhaps. */
  async function write(isClosing: boolean) {
    const backend = new ChangedBackend();
    const store = await backend.open();
    backend.change("pending.append", () => new Promise(() => {}));
    const controller = new AbortController();
    const sink = await store.create(INIT, { signal: controller.signal });
    const writer = sink.getWriter();
    // The third block waits for the first.
    const size = isClosing ? 10 : 3 * BLOCK;
    const written = writer.write(new Uint8Array(size));
    const closed = isClosing ? writer.close() : Promise.resolve();
    const outcomes = Promise.allSettled([written, closed]);
    await letOthersWork(5);
    return { backend, store, controller, sink, writer, outcomes };
  }

  type Writing = Awaited<ReturnType<typeof write>>;
  const ENDS: Readonly<Record<string, (it: Writing) => Promise<unknown>>> = {
    "cancel()": ({ sink }) => sink.cancel(new Error("enough")),
    "abort() of the writer": ({ writer }) => writer.abort(new Error("enough")),
    "abort of the signal": async ({ controller, sink }) => {
      controller.abort(new Error("enough"));
      await sink.published.catch(() => {});
    },
    "close() of the store": ({ store }) => store.close(),
  };

  for (const isClosing of [false, true]) {
    const doing = isClosing ? "the sink is being closed" : "it is written to";
    for (const [name, end] of Object.entries(ENDS)) {
      it(`does not keep a sink from ending by ${name} while ${doing}`, async () => {
        const it = await write(isClosing);
        await end(it).catch((error) => {
          // The stream was being closed: then it can't be aborted any more.
          if (!isClosing) throw error;
        });
        await it.outcomes;
        await assert.rejects(it.sink.close(), (error) => {
          assert.ok(error instanceof SnapshotPublishError);
          assert.equal(error.published, false);
          return true;
        });
        assert.equal(it.backend.openPending, 0);
        await it.store.close();
      });
    }
  }
});

describe("a reap that never ends", () => {
  it("does not keep a sink's close() when its signal aborts, or the store is closed", async () => {
    for (const leave of ["abort", "close"] as const) {
      const backend = new ChangedBackend();
      await fill(backend);
      const store = await backend.open(1);
      const controller = new AbortController();
      const { signal } = controller;
      const sink = await store.create({ ...INIT, index: 9n }, { signal });
      backend.change("names", () => new Promise(() => {}));
      let meta: SnapshotMeta | undefined;
      const closed = sink.close().then(() => meta = sink.meta);
      await letOthersWork(5);
      if (leave === "abort") controller.abort(new Error("enough"));
      else await store.close();
      await closed;
      assert.equal(meta?.id, sink.id, "it is published");
      await store.close();
    }
  });
});
