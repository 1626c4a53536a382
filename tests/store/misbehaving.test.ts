/**
 * Backends that break their contract: the store hands out no wrong byte, leaves
 * nothing open, and every call ends.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  array,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
} from "fast-check";
import {
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  type SnapshotSource,
  type SnapshotStore,
  StoreAccessError,
  StoreClosedError,
} from "@raft/snapshots";
import { MaybePublishedError } from "../../src/backend/maybe_published_error.ts";
import { INIT, letOthersWork, save } from "../support/store_fixture.ts";
import { holdsFor } from "../fuzz/property.ts";
import {
  BLOCK,
  ChangedBackend,
  fill,
  type Instead,
  type Method,
  METHODS,
  type States,
  unseal,
} from "./changed_backend.ts";

const ID = "3-1-1";

/** Bytes whose `length` lies: nothing of that size is there. */
function lying(length: number): Uint8Array {
  return Object.defineProperty(new Uint8Array(3), "length", { value: length });
}

/** Values of other kinds than the expected ones. */
const ODD_VALUES: Readonly<Record<string, () => unknown>> = {
  "undefined": () => undefined,
  "null": () => null,
  "zero": () => 0,
  "-1": () => -1,
  "NaN": () => NaN,
  "2^53": () => 2 ** 53,
  "a bigint": () => 1n,
  "a text": () => "taken?",
  "a symbol": () => Symbol("odd"),
  "true": () => true,
  "a function": () => () => 1,
  "an empty object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "an object with fields named like methods": () => ({ read: 1, append: "x" }),
  "an empty array": () => [],
  "an array with a hole": () => new Array(1),
  "an ID that leads outside": () => ["../../etc"],
  "an ID twice": () => ["3-1-1", "3-1-1"],
  "a Map of a stranger": () => new Map([["9-9-9", new Error("stranger")]]),
  "an empty Map": () => new Map(),
  "no bytes": () => new Uint8Array(),
  "other bytes": () => new Uint8Array(700).fill(7),
  "2 GiB of bytes that are not there": () => lying(2 ** 31),
  "bytes that say they are fewer": () => lying(1),
  "a Proxy of bytes": () => new Proxy(new Uint8Array(3), {}),
  "names without an array": () => ({ published: null, unfinished: [] }),
  "names with a published ID that is not valid": () => ({
    published: ["x"],
    quarantined: [],
    unfinished: [],
    foreign: [],
  }),
  "names with an ID twice": () => ({
    published: [ID, ID],
    quarantined: [],
    unfinished: [],
    foreign: [],
  }),
  "names that protect an ID that they do not list": () => ({
    published: [],
    quarantined: [],
    unfinished: [],
    foreign: [],
    protected: [ID],
  }),
  "names with a symbol": () => ({
    published: [],
    quarantined: [],
    unfinished: [{ id: ID, state: Symbol("odd") }],
    foreign: [Symbol("odd")],
  }),
  "an error": () => new Error("odd"),
  "an error that is its own cause": () => {
    const error = new Error("odd");
    error.cause = error;
    return error;
  },
  "an error with a strange code": () =>
    Object.assign(new Error("odd"), { code: Symbol("code"), errno: {} }),
  "a RangeError": () => new RangeError("odd"),
  "a SnapshotNotFoundError": () => new SnapshotNotFoundError("odd"),
  "a StoreClosedError": () => new StoreClosedError("odd"),
  "a SnapshotPublishError that says it was published": () =>
    new SnapshotPublishError("odd", { published: true }),
  "a MaybePublishedError of one that was not": () =>
    new MaybePublishedError(
      new SnapshotPublishError("odd", { published: false }),
    ),
};

/** How a method uses such a value. */
const WAYS: Readonly<Record<string, (value: unknown) => Instead>> = {
  throws: (value) => () => {
    throw value;
  },
  "rejects with": (value) => () => Promise.reject(value),
  "resolves to": (value) => () => Promise.resolve(value),
  returns: (value) => () => value,
  "does its work and rejects with": (value) => async (asUsual) => {
    await asUsual();
    throw value;
  },
  "does its work and resolves to": (value) => async (asUsual) => {
    await asUsual();
    return value;
  },
};

const readAll = async (source: SnapshotSource) =>
  new Uint8Array(await new Response(source).arrayBuffer());

/** Reads a source, and compares the bytes with the written ones. */
async function readRight(source: SnapshotSource, states: States) {
  const state = states.get(source.meta.id);
  assert.ok(state !== undefined, `${source.meta.id} was never written`);
  let at = 0;
  for await (const chunk of source) {
    assert.ok(chunk.length > 0 && at + chunk.length <= state.length);
    assert.deepEqual(chunk, state.subarray(at, at + chunk.length));
    at += chunk.length;
  }
  assert.equal(at, state.length);
}

/** Writes a snapshot, and remembers its state before it may be listed. */
async function write(store: SnapshotStore, states: States) {
  const state = new Uint8Array(2 * BLOCK + 7).fill(states.size);
  const sink = await store.create({ ...INIT, index: BigInt(states.size + 1) });
  states.set(sink.id, state);
  await new Blob([state]).stream().pipeTo(sink);
}

type Call = (
  store: SnapshotStore,
  states: States,
  id: string,
) => Promise<unknown>;

/** Every call of a store; each checks its result. */
const CALLS: Readonly<Record<string, Call>> = {
  async list(store, states) {
    const ids = (await store.list()).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.ok(states.has(id), id);
  },
  async listUnusable(store, states) {
    for (const { id, state } of await store.list({ unusable: true })) {
      // A snapshot that is quarantined need not be a published one.
      if (state !== "quarantined") assert.ok(states.has(id), id);
    }
  },
  async inspect(store) {
    const { unfinished, quarantined, foreign } = await store.inspect();
    for (const { id } of [...unfinished, ...quarantined]) {
      assert.equal(typeof id, "string");
    }
    assert.ok(foreign.every((name) => typeof name === "string"));
  },
  open: async (store, states, id) =>
    await readRight(await store.open(id), states),
  openBefore: async (store, states, id) =>
    await readRight(await store.open(id, { verify: "before" }), states),
  openStream: async (store, states, id) => {
    // Here the last chunk alone tells whether the bytes were right.
    const state = await readAll(await store.open(id, { verify: "stream" }));
    assert.deepEqual(state, states.get(id));
  },
  async openPart(store, states, id) {
    const range = { start: 5, end: BLOCK + 5 };
    const part = await readAll(await store.open(id, range));
    assert.deepEqual(part, states.get(id)?.slice(5, BLOCK + 5));
  },
  openAndCancel: async (store, _states, id) =>
    await (await store.open(id)).cancel(),
  verify: (store, _states, id) => store.verify(id),
  restore: (store, states) =>
    store.restore((source) => readRight(source, states)),
  create: write,
  async createAndCancel(store) {
    await (await store.create(INIT)).cancel();
  },
  seal: (store, _states, id) => store.seal(id),
  clean: (store) => store.clean(),
  reap: (store) => store.reap(),
  delete: (store, _states, id) => store.delete(id),
};

/** Makes a call: it may fail, but only with an error of this library. */
async function attempt(name: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(
      error instanceof SnapshotError,
      `${name} rejected with ${Object.prototype.toString.call(error)}: ` +
        `${error instanceof Error ? error.stack : ""}`,
    );
  }
}

/** One method that does something else, from one of its calls on. */
interface Fault {
  readonly method: Method;
  readonly way: string;
  readonly value: string;
  /** How often it works before the fault. */
  readonly after: number;
}

function inject(backend: ChangedBackend, fault: Fault): void {
  const value = ODD_VALUES[fault.value]?.();
  // A size is not waited for.
  const way = fault.method === "handle.size" ? "returns" : fault.way;
  const instead = WAYS[way]?.(value) as Instead;
  let calls = 0;
  backend.change(
    fault.method,
    (asUsual) => calls++ < fault.after ? asUsual() : instead(asUsual),
  );
}

/** Runs the calls on a store whose backend has that fault, and closes it. */
async function survive(
  fault: Fault,
  calls: readonly string[],
  { retain = 1, areSealed = true, isCorrupt = false } = {},
): Promise<void> {
  const backend = new ChangedBackend();
  const states = await fill(backend);
  if (!areSealed) unseal(backend, states);
  const [, id = "", newest = ""] = states.keys();
  if (isCorrupt) await backend.memory.corrupt(newest);
  inject(backend, fault);
  const opening = backend.open(retain);
  await attempt("connect", opening);
  const store = await opening.catch(() => undefined);
  if (store === undefined) return;
  for (const name of calls) {
    await attempt(name, (CALLS[name] as Call)(store, states, id));
  }
  await attempt("close", store.close());
  await letOthersWork(2);
  // The store can't end a snapshot that the backend has begun and not returned.
  const isGiven = (method: Method) => fault.method !== method;
  if (isGiven("openState")) assert.equal(backend.openStates, 0, "open states");
  if (isGiven("begin") && isGiven("pending.publish")) {
    assert.equal(backend.openPending, 0, "snapshots that have not ended");
  }
  if (!isCorrupt) await assertNothingIsSpoilt(backend, states);
}

/** Without the fault, all listed snapshots have the written bytes. */
async function assertNothingIsSpoilt(backend: ChangedBackend, states: States) {
  backend.mend();
  const store = await backend.open(100);
  for (const { id } of await store.list()) {
    await readRight(await store.open(id), states);
  }
  await store.close();
}

describe("a store over a backend that breaks its contract", () => {
  it("hands out no wrong byte, leaks nothing and ends every call", async () => {
    const faults = record({
      fault: record({
        method: constantFrom(...METHODS),
        way: constantFrom(...Object.keys(WAYS)),
        value: constantFrom(...Object.keys(ODD_VALUES)),
        after: oneof(constant(0), integer({ min: 1, max: 6 })),
      }),
      calls: array(constantFrom(...Object.keys(CALLS)), { maxLength: 5 }),
      retain: integer({ min: 1, max: 3 }),
      areSealed: constantFrom(true, false),
      isCorrupt: constantFrom(true, false),
    });
    await holdsFor(
      faults,
      40,
      ({ fault, calls, ...options }) => survive(fault, calls, options),
    );
  });

  for (const method of METHODS) {
    it(`survives each odd answer of ${method}`, async () => {
      const isCorrupt = method === "quarantine";
      // restore() tries again after pauses: the property above has it.
      const calls = isCorrupt
        ? ["restore", "list"]
        : Object.keys(CALLS).filter((name) => name !== "restore");
      for (const value of Object.keys(ODD_VALUES)) {
        for (const way of ["rejects with", "resolves to"]) {
          const fault = { method, way, value, after: 0 };
          await survive(fault, calls, { isCorrupt });
        }
      }
    });
  }
});

/** A store over three snapshots, and the ID of the second. */
async function prepare() {
  const backend = new ChangedBackend();
  const states = await fill(backend);
  const store = await backend.open();
  const [, id = ""] = states.keys();
  return { backend, states, store, id };
}

describe("reading from a backend that breaks its contract", () => {
  const READS: Readonly<Record<string, Instead>> = {
    "-1": () => Promise.resolve(-1),
    "NaN": () => Promise.resolve(NaN),
    "half a byte": () => Promise.resolve(0.5),
    "more than was asked for": () => Promise.resolve(64 * 1024 * 1024),
    "no number": () => Promise.resolve("1"),
  };

  for (const [count, instead] of Object.entries(READS)) {
    it(`is refused when it reads ${count}, and nothing is taken for corrupt`, async () => {
      const { backend, states, store, id } = await prepare();
      backend.change("handle.read", instead);
      await assert.rejects(store.verify(id), StoreAccessError);
      const source = await store.open(id);
      await assert.rejects(readAll(source), StoreAccessError);
      const restored = store.restore(readAll);
      await assert.rejects(restored, StoreAccessError);
      backend.mend();
      assert.equal((await store.verify(id)).ok, true);
      assert.equal((await store.list()).length, states.size);
      assert.equal(backend.openStates, 0);
      await store.close();
    });
  }

  it("hands nothing out of a state that ends early", async () => {
    const { backend, store, id } = await prepare();
    backend.change("handle.read", () => Promise.resolve(0));
    const source = await store.open(id);
    await assert.rejects(readAll(source), { name: "SnapshotCorruptError" });
    assert.equal(backend.openStates, 0);
    await store.close();
  });

  it("reads a state that comes byte by byte", async () => {
    const { states, store, id, backend } = await prepare();
    const state = states.get(id) ?? new Uint8Array();
    backend.changeRead((buffer, position) => {
      buffer[0] = state[position] ?? 0;
      return Promise.resolve(1);
    });
    for (const verify of ["auto", "before", "stream"] as const) {
      const source = await store.open(id, { verify });
      assert.deepEqual(await readAll(source), state);
    }
    await store.close();
  });

  it("ends when the backend transfers the buffer", async () => {
    const { backend, store, id } = await prepare();
    backend.changeRead((buffer) => {
      const { length } = buffer;
      structuredClone(buffer.buffer, {
        transfer: [buffer.buffer as ArrayBuffer],
      });
      return Promise.resolve(length);
    });
    await assert.rejects(store.verify(id), StoreAccessError);
    for (const verify of ["auto", "before", "stream"] as const) {
      const read = store.open(id, { verify }).then(readAll);
      await assert.rejects(read, StoreAccessError);
    }
    assert.equal(backend.openStates, 0);
    await store.close();
  });

  it("does not use bytes that change after they were checked", async () => {
    const { backend, store, id } = await prepare();
    const kept: Uint8Array[] = [];
    for (const method of ["readMeta", "readBlocks"] as const) {
      backend.change(method, async (asUsual) => {
        const bytes = (await asUsual() as Uint8Array).slice();
        kept.push(bytes);
        // When the store has it, and before it has looked at it all.
        queueMicrotask(() => queueMicrotask(() => bytes.fill(0)));
        return bytes;
      });
    }
    assert.equal((await store.verify(id)).ok, true);
    assert.equal(kept.length, 2);
    await store.close();
  });
});

describe("listing a backend that breaks its contract", () => {
  const NAMES: Readonly<Record<string, object>> = {
    "an ID twice": { published: [ID, ID] },
    "an ID twice in quarantine": { quarantined: [ID, ID] },
    "an ID that leads outside": { published: ["../../etc"] },
    "an ID that is not a text": { published: [7] },
    "no array": { published: undefined },
    "an unknown state": { unfinished: [{ id: ID, state: "lost" }] },
    "nothing unfinished": { unfinished: [undefined] },
    "a foreign name that is not a text": { foreign: [Symbol("odd")] },
  };

  for (const [what, wrong] of Object.entries(NAMES)) {
    it(`is refused when it lists ${what}`, async () => {
      const { backend, store } = await prepare();
      const empty = {
        published: [],
        quarantined: [],
        unfinished: [],
        foreign: [],
      };
      backend.change("names", () => Promise.resolve({ ...empty, ...wrong }));
      await assert.rejects(store.list(), StoreAccessError);
      await assert.rejects(store.restore(readAll), StoreAccessError);
      await store.close();
    });
  }

  it("does not take an error about a snapshot for an empty place", async () => {
    const { backend, store } = await prepare();
    const error = new SnapshotNotFoundError("odd");
    backend.change("names", () => Promise.reject(error));
    await assert.rejects(store.list(), StoreAccessError);
    await assert.rejects(store.restore(readAll), StoreAccessError);
    await assert.rejects(store.reap(), StoreAccessError);
    await store.close();
  });

  it("restores no older snapshot for an error that is not about a snapshot", async () => {
    const { backend, store } = await prepare();
    for (
      const error of [new StoreClosedError("odd"), new SnapshotError("odd")]
    ) {
      backend.change("readMeta", () => Promise.reject(error));
      await assert.rejects(store.restore(readAll), StoreAccessError);
    }
    await store.close();
  });
});

describe("writing to a backend that breaks its contract", () => {
  it("gives up when every ID is taken", async () => {
    const { backend, store } = await prepare();
    let asked = 0;
    backend.change("begin", () => {
      asked++;
      return Promise.resolve("taken");
    });
    await assert.rejects(store.create(INIT), SnapshotError);
    assert.ok(asked < 10_000, `${asked} tries`);
    await store.close();
  });

  it("passes no error of the backend on as one of the caller", async () => {
    const { backend, store } = await prepare();
    for (const method of ["takenIds", "begin"] as const) {
      backend.change(method, () => Promise.reject(new RangeError("odd")));
      await assert.rejects(store.create(INIT), SnapshotError);
      backend.mend();
    }
    await store.close();
  });

  it("says whether it was published as the class of the error does", async () => {
    const published = (is: boolean) =>
      new SnapshotPublishError("odd", { published: is });
    const CASES: readonly (readonly [unknown, boolean])[] = [
      [new MaybePublishedError(published(false)), true],
      [new MaybePublishedError(undefined), true],
      [published(true), false],
      [published(false), false],
      [undefined, false],
      [Symbol("odd"), false],
      [Object.create(null), false],
    ];
    for (const [error, expected] of CASES) {
      const { backend, store } = await prepare();
      let discards = 0;
      backend.change("pending.publish", () => Promise.reject(error));
      backend.change("pending.discard", () => {
        discards++;
        return Promise.reject(new Error("odd"));
      });
      const sink = await store.create(INIT);
      for (const ending of [sink.close(), sink.published]) {
        await assert.rejects(ending, (error) => {
          assert.ok(error instanceof SnapshotPublishError);
          assert.equal(error.published, expected);
          return true;
        });
      }
      assert.equal(discards, expected ? 0 : 1);
      await store.close();
    }
  });

  it("reports a removal that failed without an error", async () => {
    const { backend, store, id } = await prepare();
    const removed = new Map([[id, undefined]]);
    backend.change("remove", () => Promise.resolve(removed));
    await assert.rejects(store.delete(id), SnapshotError);
    await store.close();
    const strict = await backend.open(2);
    const [oldest = ""] = (await strict.list()).map((meta) => meta.id)
      .toReversed();
    backend.change(
      "remove",
      () => Promise.resolve(new Map([[oldest, undefined]])),
    );
    await assert.rejects(strict.reap(), SnapshotError);
    await strict.close();
  });

  it("can't be kept from closing by a discard that rejects", async () => {
    const { backend, store } = await prepare();
    backend.change("pending.discard", () => Promise.reject(new Error("odd")));
    const sink = await store.create(INIT);
    await store.close();
    await assert.rejects(sink.close(), SnapshotPublishError);
  });

  it("discards a snapshot that is begun when the store is closed meanwhile", async () => {
    const { backend, store } = await prepare();
    backend.change("begin", async (asUsual) => {
      void store.close();
      return await asUsual();
    });
    await assert.rejects(store.create(INIT), StoreClosedError);
    await store.close();
    assert.equal(backend.openPending, 0);
  });

  it("writes the right bytes when another snapshot has failed", async () => {
    const { backend, states, store } = await prepare();
    backend.change("pending.append", () => {
      throw new Error("odd");
    });
    await assert.rejects(save(store, new Uint8Array(3 * BLOCK)));
    backend.mend();
    await write(store, states);
    await store.restore((source) => readRight(source, states));
    await store.close();
  });
});
