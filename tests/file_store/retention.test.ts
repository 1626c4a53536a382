/**
 * What is kept and what is removed: by every close, by reap() and by delete().
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  SnapshotError,
  SnapshotNotFoundError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  Bench,
  Gate,
  INIT,
  letOthersWork,
  listIds,
  save,
  SNAPSHOTS,
} from "./bench.ts";

/** Snapshots that were there before; nobody has looked into them. */
async function prepare(
  bench: Bench,
  indexes: readonly (number | bigint)[],
  term: number | bigint = 3n,
): Promise<string[]> {
  const store = await bench.open({ retain: 100 });
  const ids: string[] = [];
  for (const index of indexes) {
    ids.push(await save(store, `state ${index}`, { index, term }));
  }
  await store.close();
  return ids;
}

describe("every close of a sink", () => {
  it("leaves the newest, as many as are to be retained", async () => {
    for (const retain of [1, 2, 3]) {
      const bench = new Bench();
      const store = await bench.open({ retain });
      const ids: string[] = [];
      for (let index = 1; index <= 5; index++) {
        ids.unshift(await save(store, "state", { index }));
        assert.deepEqual(await listIds(store), ids.slice(0, retain));
      }
      assert.deepEqual(bench.names(), ids.slice(0, retain).sort());
      await store.close();
    }
  });

  it("counts only what can be used", async () => {
    const bench = new Bench();
    const [good, cut, empty] = await prepare(bench, [1, 2, 3]) as [
      string,
      string,
      string,
    ];
    bench.write(cut, "state.bin", "s");
    bench.write(empty, "meta.json", "");
    const store = await bench.open({ retain: 2 });
    const id = await save(store, "new", { index: 4 });
    assert.deepEqual(await listIds(store), [id, good]);
    await store.close();
  });

  it("never fails for what could not be removed", async () => {
    const bench = new Bench();
    const [old] = await prepare(bench, [1]) as [string];
    const store = await bench.open({ retain: 1 });
    bench.files.inject(failOn("rename", "EBUSY", { path: /deleted/ }));
    const id = await save(store, "new");
    assert.deepEqual(await listIds(store), [id, old]);
    assert.equal(bench.log.matching("error", "Cannot reap").length, 1);
    bench.files.inject();
    await store.reap();
    assert.deepEqual(bench.names(), [id]);
    await store.close();
  });

  it("never removes the snapshot that it has just published", async () => {
    const bench = new Bench();
    await prepare(bench, [100, 101, 102], 9n);
    const store = await bench.open({ retain: 1 });
    const id = await save(store, "lower term", { term: 3n });
    assert.ok((await listIds(store)).includes(id));
    await store.reap();
    assert.ok((await listIds(store)).includes(id), "nor does a later reap");
    const next = await save(store, "newer", { term: 3n, index: 11n });
    assert.ok((await listIds(store)).includes(next));
    assert.ok(!(await listIds(store)).includes(id), "only its successor does");
    await store.close();
  });

  it("leaves the newest of those that were published side by side", async () => {
    const bench = new Bench();
    await prepare(bench, [100], 9n);
    const store = await bench.open({ retain: 1 });
    const [older, newer] = [
      await store.create({ ...INIT, index: 10n }),
      await store.create({ ...INIT, index: 20n }),
    ];
    await newer.close();
    await older.close();
    assert.ok((await listIds(store)).includes(newer.id));
    await store.close();
  });

  it("never removes one whose close is under way", async () => {
    const bench = new Bench();
    const store = await bench.open({ retain: 1 });
    const gate = new Gate();
    const slow = await store.create({ ...INIT, index: 1n });
    bench.files.inject(({ name, path }) =>
      name === "syncDirectory" && path === SNAPSHOTS
        ? { wait: gate.opened }
        : undefined
    );
    const closed = slow.close(); // it has its name, and waits for the sync
    await letOthersWork();
    bench.files.inject();
    const fast = await save(store, "newer", { index: 2n });
    assert.deepEqual(await listIds(store), [fast, slow.id]);
    gate.open();
    await closed;
    await store.close();
  });
});

describe("reap()", () => {
  it("reads one that it does not know before it counts on it", async () => {
    const bench = new Bench();
    const [good, corrupt] = await prepare(bench, [1, 2]) as [string, string];
    bench.corrupt(corrupt);
    const store = await bench.open({ retain: 1 });
    await store.reap();
    assert.deepEqual(await listIds(store), [corrupt, good]);
    await store.close();
  });

  it("keeps the only good one, however old it is", async () => {
    const bench = new Bench();
    const ids = await prepare(bench, [1, 2, 3, 4, 5]);
    for (const id of ids.slice(1)) bench.corrupt(id);
    const store = await bench.open({ retain: 1 });
    await store.reap();
    assert.ok((await listIds(store)).includes(ids[0] ?? ""));
    await store.close();
  });

  it("keeps all when not one is good", async () => {
    const bench = new Bench();
    const ids = await prepare(bench, [1, 2, 3]);
    for (const id of ids) bench.corrupt(id);
    const store = await bench.open({ retain: 1 });
    await store.reap();
    assert.equal((await store.list()).length, 3);
    assert.equal(bench.log.matching("error").length, 1);
    await store.close();
  });

  it("does not count on one that has gone bad since it was written", async () => {
    for (const how of ["verify", "open"] as const) {
      const bench = new Bench();
      const [good] = await prepare(bench, [1]) as [string];
      const store = await bench.open({ retain: 2 });
      const bad = await save(store, "state", { index: 2 });
      bench.corrupt(bad);
      if (how === "verify") await store.verify(bad);
      else await assert.rejects(new Response(await store.open(bad)).text());
      await store.close();
      const strict = await bench.open({ retain: 1 });
      await strict.verify(bad);
      await strict.reap();
      assert.ok((await listIds(strict)).includes(good));
      await strict.close();
    }
  });

  it("looks again at what a reader has found corrupt", async () => {
    const bench = new Bench();
    const store = await bench.open({ retain: 2 });
    const good = await save(store, "good", { index: 1 });
    const bad = await save(store, "bad", { index: 2 });
    // Published by this very store, and so known to be good; until now.
    bench.corrupt(bad);
    await assert.rejects(new Response(await store.open(bad)).text());
    const third = await save(store, "third", { index: 0 });
    await store.reap();
    const ids = await listIds(store);
    assert.ok(ids.includes(good), `${good} is not in ${ids.join()}`);
    assert.ok(ids.includes(third));
    await store.close();
  });

  it("reads nothing when there is nothing to remove", async () => {
    const bench = new Bench();
    await prepare(bench, [1, 2]);
    const store = await bench.open({ retain: 2 });
    const start = bench.files.trace.length;
    await store.reap();
    const reads = bench.trace(start).filter((it) => /read .*state/.test(it));
    assert.deepEqual(reads, []);
    await store.close();
  });

  it("goes on with the others when one can't be removed, and says so", async () => {
    const bench = new Bench();
    const ids = await prepare(bench, [1, 2, 3, 4]);
    const store = await bench.open({ retain: 1 });
    const stuck = ids[1] ?? "";
    // As Windows answers while somebody has a file of it open.
    for (const code of ["EPERM", "EBUSY", "EACCES"]) {
      const path = new RegExp(`/${stuck}$`);
      bench.files.inject(failOn("rename", code, { path }));
      await assert.rejects(store.reap(), (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.equal(error.code, code);
        return true;
      });
      assert.deepEqual(await listIds(store), [ids[3], stuck]);
    }
    bench.files.inject();
    await store.reap();
    assert.deepEqual(await listIds(store), [ids[3]]);
    await store.close();
  });

  it("is not run twice at a time", async () => {
    const bench = new Bench();
    await prepare(bench, [1, 2, 3, 4, 5]);
    const store = await bench.open({ retain: 1 });
    await Promise.all([store.reap(), store.reap(), store.reap()]);
    assert.equal(bench.names().length, 1);
    assert.equal(bench.log.matching("warn").length, 0);
    await store.close();
  });

  it("renames, syncs, and only then takes the files away", async () => {
    const bench = new Bench();
    const [old] = await prepare(bench, [1, 2]) as [string];
    const store = await bench.open({ retain: 1 });
    const start = bench.files.trace.length;
    await store.reap();
    const steps = bench.trace(start).filter((it) =>
      /^(rename|syncDirectory|remove)/.test(it)
    );
    assert.equal(steps[0], `rename ${old} ${old}.deleted.tmp`);
    assert.equal(steps[1], `syncDirectory ${SNAPSHOTS}`);
    assert.match(steps[2] ?? "", /^removeFile .*\.deleted\.tmp\//);
    await store.close();
  });

  it("takes no file away while the new name may not last", async () => {
    const bench = new Bench();
    const [old] = await prepare(bench, [1, 2]) as [string];
    const store = await bench.open({ retain: 1 });
    bench.files.inject(failOn("syncDirectory", "EIO"));
    await assert.rejects(store.reap());
    const start = bench.files.trace.length;
    await assert.rejects(store.reap(), "still");
    assert.ok(!bench.trace(start).some((it) => it.startsWith("remove")));
    const left = `${SNAPSHOTS}/${old}.deleted.tmp/state.bin`;
    assert.ok(bench.disk.tree().includes(left));
    bench.files.inject();
    await store.reap();
    assert.equal(bench.names().length, 1);
    await store.close();
  });
});

describe("delete()", () => {
  it("removes a snapshot, the last one too", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const id = await save(store, "state");
    await store.delete(id);
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(bench.names(), []);
    await assert.rejects(store.open(id), SnapshotNotFoundError);
    await store.close();
  });

  it("removes one that is corrupt, or of an unknown version", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const id = await save(store, "state");
    const other = await save(store, "state");
    bench.write(id, "meta.json", "garbage");
    bench.write(other, "meta.json", `{"Version":9,"ID":"${other}"}`);
    await store.delete(id);
    await store.delete(other);
    assert.deepEqual(bench.names(), []);
    await store.close();
  });

  it("refuses an ID that is not in the store, or none at all", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const sink = await store.create(INIT);
    await assert.rejects(store.delete("3-10-1"), SnapshotNotFoundError);
    await assert.rejects(store.delete(sink.id), SnapshotNotFoundError);
    for (const id of ["", "..", "../outside", ".lock", `${sink.id}.tmp`]) {
      await assert.rejects(store.delete(id), InvalidSnapshotIdError);
    }
    const id = 7 as unknown as string;
    await assert.rejects(store.delete(id), InvalidSnapshotIdError);
    await sink.cancel();
    await store.close();
  });

  it("rejects with the system's code when it can't be done", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const id = await save(store, "state");
    bench.files.inject(failOn("rename", "EBUSY"));
    await assert.rejects(store.delete(id), (error) => {
      assert.ok(error instanceof SnapshotError);
      assert.equal(error.code, "EBUSY");
      return true;
    });
    assert.deepEqual(await listIds(store), [id]);
    bench.files.inject();
    await store.delete(id);
    assert.deepEqual(bench.names(), []);
    await store.close();
  });

  it("gets past what an earlier deletion has left, or a file of that name", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const ids = [await save(store, "a"), await save(store, "b")];
    bench.write(`${ids[0]}.deleted.tmp`, "state.bin", "left over");
    bench.disk.writeFile(
      `${SNAPSHOTS}/${ids[1]}.deleted.tmp`,
      new Uint8Array(),
    );
    for (const id of ids) await store.delete(id);
    assert.deepEqual(bench.names(), []);
    await store.close();
  });

  it("of the same snapshot at the same time is done once", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const id = await save(store, "state");
    const outcomes = await Promise.allSettled([
      store.delete(id),
      store.delete(id),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status).sort(),
      ["fulfilled", "rejected"],
    );
    assert.deepEqual(bench.names(), []);
    await store.close();
  });
});
