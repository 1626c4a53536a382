/**
 * The commands for a store, for the real one and for its model alike.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  openFileSnapshotStore,
  SnapshotNotFoundError,
  SnapshotPublishError,
  type SnapshotSink,
  type SnapshotStore,
} from "@raft/snapshots";
import { type CrashChoice, MemoryFileSystem } from "@raft/snapshots/testing";
import * as fc from "fast-check";
import { compareIds } from "../crash/invariants.ts";
import { silent, stateOf } from "../crash/recovery.ts";
import { bytes } from "../support/random.ts";
import type { Model } from "./model.ts";

/** An open sink, and the bytes that were written to it. */
interface OpenSink {
  readonly sink: SnapshotSink;
  state: Uint8Array;
}

/** The real store, its disk and its clock. */
export class Real {
  disk = new MemoryFileSystem();
  store: SnapshotStore | undefined;
  now = 1_700_000_000_000;
  sinks: OpenSink[] = [];
  /** The IDs that the present store object has given out. */
  ids: string[] = [];

  async open(retain: number): Promise<void> {
    this.sinks = [];
    this.ids = [];
    this.store = await openFileSnapshotStore("/data", {
      fileSystem: this.disk,
      logger: silent,
      clock: () => this.now,
      blockSize: 512,
      retain,
    });
  }

  /** The store, which must be open. */
  get opened(): SnapshotStore {
    assert.ok(this.store);
    return this.store;
  }
}

type Command = fc.AsyncCommand<Model, Real>;

function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true,
): Command {
  return { check, run, toString: () => name };
}

const some = (model: Model) => model.snapshots.length > 0;

/** The snapshot of that number, counted round and round. */
function nth(model: Model, n: number) {
  const snapshot = model.snapshots[n % model.snapshots.length];
  assert.ok(snapshot);
  return snapshot;
}

/** Takes a sink out of those that are open. */
function takeSink({ sinks }: Real, n: number): OpenSink | undefined {
  return sinks.splice(n % (sinks.length || 1), 1)[0];
}

const create = (term: number, index: number): Command =>
  command(`create ${term}-${index}`, async (model, real) => {
    const sink = await real.opened.create({
      term,
      index,
      configuration: { servers: [] },
      configurationIndex: 1,
    });
    const prefix = `${term}-${index}-`;
    for (const id of [...real.ids, ...model.snapshots.map(({ id }) => id)]) {
      assert.notEqual(sink.id, id);
      const isBefore = id.startsWith(prefix) && compareIds(id, sink.id) < 0;
      assert.ok(!isBefore, `${sink.id} comes after ${id}`);
    }
    real.ids.push(sink.id);
    real.sinks.push({ sink, state: new Uint8Array() });
  });

const write = (n: number, size: number): Command =>
  command(`write ${size} bytes`, async (_, { sinks }) => {
    const open = sinks[n % (sinks.length || 1)];
    if (open === undefined) return;
    const chunk = bytes(size, n + size);
    const writer = open.sink.getWriter();
    await writer.write(chunk);
    writer.releaseLock();
    open.state = new Uint8Array([...open.state, ...chunk]);
  });

const close = (n: number): Command =>
  command("close", async (model, real) => {
    const open = takeSink(real, n);
    if (open === undefined) return;
    await open.sink.close();
    assert.equal(open.sink.meta.size, open.state.length);
    model.publish(open.sink.id, open.state);
  });

const cancel = (n: number): Command =>
  command("cancel", async (_, real) => {
    const open = takeSink(real, n);
    if (open === undefined) return;
    await open.sink.cancel();
    await assert.rejects(open.sink.close(), SnapshotPublishError);
  });

const list = command("list", async (model, real) => {
  const listed = await real.opened.list();
  assert.deepEqual(
    listed.map(({ id, size }) => ({ id, size })),
    model.snapshots.map(({ id, state }) => ({ id, size: state.length })),
  );
});

/** After a start only published snapshots are there. */
async function checkStart(model: Model, real: Real): Promise<void> {
  await list.run(model, real);
  const names = (await real.disk.readDirectory("/data/snapshots"))
    .map(({ name }) => name).filter((name) => name !== ".lock");
  const ids = model.snapshots.map(({ id }) => id);
  assert.deepEqual(names.sort(), ids.sort());
}

const read = (n: number): Command =>
  command("read", async (model, real) => {
    const { id, state } = nth(model, n);
    assert.deepEqual(await stateOf(await real.opened.open(id)), state);
    assert.ok((await real.opened.verify(id)).ok);
  }, some);

const readHalf = (n: number): Command =>
  command("read half", async (model, real) => {
    const { id, state } = nth(model, n);
    const source = await real.opened.open(id);
    const reader = source.getReader();
    const { value = new Uint8Array() } = await reader.read();
    assert.deepEqual(value, state.slice(0, value.length));
    await reader.cancel();
  }, some);

const reap = command("reap", async (model, real) => {
  await real.opened.reap();
  model.reap();
  model.settle();
});

const remove = (n: number): Command =>
  command("delete", async (model, real) => {
    const { id } = nth(model, n);
    await real.opened.delete(id);
    await assert.rejects(real.opened.open(id), SnapshotNotFoundError);
    model.delete(id);
    model.settle();
  }, some);

const restore = command("restore", async (model, real) => {
  let state: Uint8Array | undefined;
  const { meta } = await real.opened.restore(async (source) => {
    state = await stateOf(source);
  }) ?? {};
  assert.equal(meta?.id, model.snapshots[0]?.id);
  assert.deepEqual(state, model.snapshots[0]?.state);
});

const reopen = (retain: number): Command =>
  command(`reopen with retain ${retain}`, async (model, real) => {
    await real.opened.close();
    model.settle();
    assert.equal(real.disk.openHandles, 0);
    await real.open(retain);
    model.reopen(retain);
    await checkStart(model, real);
  });

const crash = (choice: CrashChoice, retain: number): Command =>
  command(`crash ${JSON.stringify(choice)}`, async (model, real) => {
    const { store } = real;
    real.disk = real.disk.crash(choice);
    // Its process has lost power, so the result of close() does not matter.
    await store?.close().catch(() => {});
    await real.open(retain);
    model.crash((await real.opened.list()).map(({ id }) => id));
    model.reopen(retain);
    await checkStart(model, real);
  });

const setClock = (byMs: number): Command =>
  command(`clock ${byMs}`, (_, real) => {
    real.now = Math.max(real.now + byMs, 0);
    return Promise.resolve();
  });

const n = fc.nat({ max: 5 });
const retain = fc.integer({ min: 1, max: 3 });
const choice: fc.Arbitrary<CrashChoice> = fc.record({
  seed: fc.integer(),
  keptPercent: fc.constantFrom(0, 20, 50, 80, 100),
  renames: fc.constantFrom("atomic", "split"),
}, { noNullPrototype: true });

const someCreate = fc.tuple(
  fc.integer({ min: 1, max: 2 }),
  fc.integer({ min: 1, max: 2 }),
).map(([term, index]) => create(term, index));

const someWrite = fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 3000 }))
  .map(([n, size]) => write(n, size));

/** Each kind of command; those that make the state interesting, more often. */
export const commands: fc.Arbitrary<Command>[] = [
  someCreate,
  someCreate,
  someWrite,
  someWrite,
  fc.nat({ max: 1 }).map(close),
  fc.nat({ max: 1 }).map(close),
  n.map(cancel),
  fc.constant(list),
  n.map(read),
  n.map(readHalf),
  fc.constant(reap),
  n.map(remove),
  fc.constant(restore),
  retain.map(reopen),
  fc.tuple(choice, retain).map(([choice, retain]) => crash(choice, retain)),
  fc.integer({ min: -5000, max: 5000 }).map(setClock),
];
