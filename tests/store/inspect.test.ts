/**
 * inspect(): the contents of a place beside published snapshots. A backend that
 * tells nonsense is rejected.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type SnapshotSource,
  StoreAccessError,
  StoreClosedError,
} from "@raft/snapshots";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { INIT, save } from "../support/store_fixture.ts";
import { ChangedBackend } from "./changed_backend.ts";
import { EditableBackend } from "./editable_backend.ts";
import { onEachPlace, prepare } from "./places.ts";

const readAll = (source: SnapshotSource) => new Response(source).arrayBuffer();

const FOUND = {
  id: "3-10-1",
  name: "3-10-1",
  state: "writing",
  size: 4,
  changedAt: new Date(0),
  isForeign: false,
  mayBeUnderWay: true,
};

const OWNER = { pid: 1, host: "a", runtime: "deno", since: 0 };

/** An inspection with one thing in it. */
function inspection(part: Record<string, unknown>): Record<string, unknown> {
  return {
    unfinished: [],
    quarantined: [],
    foreign: [],
    lock: undefined,
    ...part,
  };
}

onEachPlace("inspect()", (makePlace) => {
  it("reports snapshots that are being written, newest first, with their size", async () => {
    const place = makePlace();
    const store = await place.open();
    const older = await store.create({ ...INIT, index: 10n });
    const newer = await store.create({ ...INIT, index: 20n });
    await save(store, "published");
    const { unfinished } = await store.inspect();
    assert.deepEqual(
      unfinished.map((
        { id, state, isForeign, mayBeUnderWay },
      ) => [id, state, isForeign, mayBeUnderWay]),
      [newer, older].map(({ id }) => [id, "writing", false, true]),
    );
    assert.ok(unfinished.every(({ size }) => size !== undefined));
    await older.cancel();
    await newer.cancel();
    assert.deepEqual((await store.inspect()).unfinished, []);
    await store.close();
  });

  it("reports snapshots in quarantine, newest first", async () => {
    const place = makePlace();
    const [, first, second] = await prepare(place, [10, 20, 30]);
    assert.ok(first && second);
    await place.corrupt(first);
    await place.corrupt(second);
    const store = await place.open();
    await store.restore(readAll);
    const { quarantined, unfinished } = await store.inspect();
    assert.deepEqual(quarantined.map(({ id }) => id), [second, first]);
    assert.deepEqual(unfinished, []);
    await store.close();
  });

  it("rejects once the store has been closed", async () => {
    const store = await makePlace().open();
    await store.close();
    await assert.rejects(store.inspect(), StoreClosedError);
  });
});

describe("inspect() of a place with a custom backend", () => {
  it("reports the names of names() for a backend without inspect()", async () => {
    const names = {
      published: [],
      quarantined: ["3-5-1"],
      unfinished: [{ id: "3-10-1", state: "deleted" }],
      foreign: ["stranger"],
    };
    const backend = Object.assign(new EditableBackend(), {
      inspect: undefined,
      names: () => Promise.resolve(names),
    });
    const store = await openSnapshotStore(backend as never);
    const found = await store.inspect();
    assert.deepEqual(found.unfinished, [{
      ...FOUND,
      state: "deleted",
      size: undefined,
      changedAt: undefined,
    }]);
    assert.deepEqual(found.quarantined, [{ id: "3-5-1", name: "3-5-1" }]);
    assert.deepEqual(found.foreign, ["stranger"]);
    assert.deepEqual([found.place, found.lock], ["memory", undefined]);
    await store.close();
  });

  it("gives a copy of the backend's report", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const changedAt = new Date(7);
    const lock = { owner: OWNER, holder: "alive", hint: undefined };
    const unfinished = [{ ...FOUND, changedAt }];
    backend.change("inspect", () => inspection({ unfinished, lock }));
    const found = await store.inspect();
    changedAt.setTime(0);
    assert.equal(found.unfinished[0]?.changedAt?.getTime(), 7);
    assert.deepEqual(found.lock, lock);
    await store.close();
  });

  it("gives at most a thousand foreign names, and their number", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const foreign = Array.from({ length: 1500 }, (_, i) => String(9999 - i));
    backend.change("inspect", () => inspection({ foreign }));
    const found = await store.inspect();
    assert.deepEqual(found.foreign, foreign.sort().slice(0, 1000));
    assert.equal(found.foreignCount, 1500);
    await store.close();
  });

  const NONSENSE: Readonly<Record<string, unknown>> = {
    "nothing": undefined,
    "a text": "all is well",
    "an ID that leads outside": inspection({
      unfinished: [{ ...FOUND, id: "../../etc" }],
    }),
    "an unknown state": inspection({
      unfinished: [{ ...FOUND, state: "published" }],
    }),
    "a size below 0": inspection({ unfinished: [{ ...FOUND, size: -1 }] }),
    "an invalid date": inspection({
      unfinished: [{ ...FOUND, changedAt: new Date(NaN) }],
    }),
    "a number as a date": inspection({
      unfinished: [{ ...FOUND, changedAt: 5 }],
    }),
    "a text for true": inspection({
      unfinished: [{ ...FOUND, isForeign: "yes" }],
    }),
    "a name that is not a text": inspection({
      quarantined: [{ id: "3-10-1", name: 5 }],
    }),
    "a foreign name of a megabyte": inspection({
      foreign: ["x".repeat(1 << 20)],
    }),
    "a lock of an unknown holder": inspection({
      lock: { owner: OWNER, holder: "stranger", hint: undefined },
    }),
    "a lock whose owner has no number": inspection({
      lock: { owner: { ...OWNER, pid: "1" }, holder: "own", hint: undefined },
    }),
    "a hint of a megabyte": inspection({
      lock: { owner: OWNER, holder: "unknown", hint: "x".repeat(1 << 20) },
    }),
  };

  for (const [what, told] of Object.entries(NONSENSE)) {
    it(`rejects a backend that reports ${what}`, async () => {
      const backend = new ChangedBackend();
      const store = await backend.open();
      backend.change("inspect", () => told);
      await assert.rejects(store.inspect(), StoreAccessError);
      await store.close();
    });
  }

  it("turns an error about a snapshot into one about the place", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    backend.change("inspect", async () => await store.stat("3-10-1"));
    await assert.rejects(store.inspect(), StoreAccessError);
    await store.close();
  });

  it("ends when the store is closed, although the backend does not answer", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    backend.change("inspect", () => new Promise(() => {}));
    const inspecting = assert.rejects(store.inspect(), StoreClosedError);
    await store.close();
    await inspecting;
  });
});
