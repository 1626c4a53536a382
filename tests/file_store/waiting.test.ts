/**
 * Which calls wait for each other, and which must not.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FileSnapshotStore } from "@raft/snapshots";
import { Bench, Gate, listIds, save, until } from "./bench.ts";

/** Calls that read the whole of the state `id`. */
const READERS: Readonly<
  Record<string, (store: FileSnapshotStore, id: string) => Promise<unknown>>
> = {
  "seal()": (store, id) => store.seal(id),
  "reap()": (store) => store.reap(),
  "restore() that looks for corruption": (store) =>
    store.restore(() => Promise.reject(new Error("not this time"))),
};

/** A store with two snapshots of an earlier process, the newer one unsealed. */
async function prepare(gate: Gate) {
  const bench = new Bench();
  const [, large] = await bench.prepare([1, 2]) as [string, string];
  await bench.unseal(large);
  const store = await bench.open({ retain: 1 });
  let isReading = false;
  bench.files.inject(({ name, path }) => {
    if (name !== "read" || !path.endsWith(`${large}/state.bin`)) return;
    isReading = true;
    return { wait: gate.opened };
  });
  return { bench, store, large, isReading: () => isReading };
}

describe("the close of a small snapshot", () => {
  for (const [name, call] of Object.entries(READERS)) {
    it(`does not wait for ${name} of a large one`, async () => {
      const gate = new Gate();
      const { bench, store, large, isReading } = await prepare(gate);
      const running = call(store, large).catch((error) => error);
      await until(isReading, "the state is being read");
      const id = await save(store, "small", { index: 3 });
      assert.equal((await listIds(store))[0], id);
      gate.open();
      await running;
      await store.close();
      assert.equal(bench.files.openHandles, 0);
    });
  }
});

describe("reap()", () => {
  it("chooses again when the one that it counts on is deleted", async () => {
    const gate = new Gate();
    const bench = new Bench();
    const [good, bad, newest] = await bench.prepare([1, 2, 3]) as [
      string,
      string,
      string,
    ];
    bench.corrupt(bad);
    const store = await bench.open({ retain: 1 });
    let isReading = false;
    bench.files.inject(({ name, path }) => {
      if (name !== "read" || !path.endsWith(`${newest}/state.bin`)) return;
      isReading = true;
      return { wait: gate.opened };
    });
    const reaped = store.reap();
    await until(() => isReading, "the state is being read");
    await store.delete(newest);
    gate.open();
    await reaped;
    assert.ok((await listIds(store)).includes(good));
    await store.close();
  });

  it("reads nothing when there are no more than it keeps", async () => {
    const bench = new Bench();
    await bench.prepare([1, 2, 3]);
    const store = await bench.open({ retain: 4 });
    const start = bench.files.trace.length;
    await store.reap();
    await save(store, "the fourth", { index: 4 });
    const looks = bench.trace(start).filter((line) =>
      /^(open|stat|read) \d/.test(line) && !line.includes(".tmp") &&
      !line.includes("3-4-")
    );
    assert.deepEqual(looks, []);
    await store.close();
  });
});

describe("seal()", () => {
  it("fails for a snapshot that is deleted while it is read", async () => {
    const gate = new Gate();
    const { bench, store, large, isReading } = await prepare(gate);
    const sealed = store.seal(large);
    await until(isReading, "the state is being read");
    await store.delete(large);
    gate.open();
    await assert.rejects(sealed, { name: "SnapshotNotFoundError" });
    assert.deepEqual(
      bench.names().filter((name) => name.includes(large)),
      [],
    );
    await store.close();
  });
});
