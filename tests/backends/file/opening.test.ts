/**
 * Opening a store: its directories, and what a crash has left.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreAccessError, StoreLockedError } from "@raft/snapshots";
import { failOn, MemoryFileSystem } from "@raft/snapshots/testing";
import {
  Bench,
  INIT,
  listIds,
  load,
  save,
  SNAPSHOTS,
} from "../../support/store_fixture.ts";

describe("opening a store", () => {
  it("makes what is missing, and makes that durable", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await save(store, "state");
    const left = bench.disk.crash({
      seed: 1,
      keptPercent: 0,
      renames: "atomic",
    });
    const after = await new Bench(left).open();
    assert.equal((await after.list()).length, 1);
    await after.close();
  });

  it("makes durable what an earlier start had no time for", async () => {
    for (const last of ["/data", SNAPSHOTS]) {
      const files = new MemoryFileSystem();
      await files.makeDirectory("/data");
      if (last === SNAPSHOTS) {
        await files.syncDirectory("/");
        await files.makeDirectory(SNAPSHOTS);
      }
      // There it was killed.
      const store = await new Bench(files).open();
      const id = await save(store, "state");
      const left = files.crash({ seed: 1, keptPercent: 0, renames: "atomic" });
      const after = await new Bench(left).open();
      assert.deepEqual(await listIds(after), [id], `killed after ${last}`);
      await after.close();
    }
  });

  it("fails with what the system said when it can't be written to", async () => {
    const names = ["makeDirectory", "open", "close", "removeFile"] as const;
    for (const name of [...names, "readDirectory"] as const) {
      for (const code of ["EACCES", "EROFS", "ENOSPC", "EIO"]) {
        const bench = new Bench();
        bench.files.inject(failOn(name, code));
        await assert.rejects(bench.open(), (error) => {
          assert.ok(error instanceof StoreAccessError, `${name}: ${error}`);
          assert.equal(error.code, code);
          assert.ok(error.message.includes(SNAPSHOTS));
          return true;
        });
        bench.files.inject();
        assert.equal(bench.files.openHandles, 0);
        await (await bench.open()).close(); // the lock is free
      }
    }
  });

  it("leaves no test file behind, and replaces one that was left", async () => {
    const bench = new Bench();
    bench.disk.writeFile(`${SNAPSHOTS}/permTest`, new Uint8Array(3));
    const store = await bench.open();
    assert.deepEqual(bench.names(), []);
    await store.close();
  });

  it("is not hindered by a directory in the test file's place", async () => {
    const bench = new Bench();
    bench.write("permTest", "file", "content");
    const store = await bench.open();
    assert.deepEqual(bench.names(), ["permTest"]);
    await save(store, "state");
    await store.close();
  });

  it("sweeps what a crash has left, and nothing else", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const good = await save(store, "good");
    await store.close();
    const kept = [
      good,
      "1-1-4.corrupt.tmp",
      "notes.tmp",
      "1-1-x.tmp",
      "1-1-5.tmp.bak",
      "1-1-6.lost.tmp",
      ".hidden",
    ];
    for (const name of kept.slice(1)) bench.write(name, "file", "content");
    for (
      const name of ["1-1-1.tmp", "1-1-2.deleted.tmp", "1-1-3.sealing.tmp"]
    ) {
      bench.write(name, "state.bin", "half");
      bench.write(name, "deep/er/file", "content");
    }
    bench.disk.writeFile(`${SNAPSHOTS}/1-1-7.tmp`, new Uint8Array());
    const again = await bench.open();
    assert.deepEqual(bench.names(), [...kept, "1-1-7.tmp"].sort());
    assert.equal(bench.log.matching("info", "Removed").length, 3);
    assert.deepEqual(await listIds(again), [good]);
    await again.close();
  });

  it("succeeds although a leftover can't be removed", async () => {
    const bench = new Bench();
    bench.write("1-1-1.tmp", "state.bin", "half");
    bench.files.inject(failOn("removeFile", "EPERM", { path: /state\.bin/ }));
    const store = await bench.open();
    assert.equal(bench.log.matching("warn", "1-1-1.deleted.tmp").length, 1);
    assert.deepEqual(await store.list(), []);
    bench.files.inject();
    await store.reap();
    assert.deepEqual(bench.names(), []);
    await store.close();
  });

  it("twice at the same time gives one of them the store", async () => {
    const bench = new Bench();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => bench.open()),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 4);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      assert.ok(reason instanceof StoreLockedError, String(reason));
    }
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") await outcome.value.close();
    }
  });
});

describe("an open store whose directory is removed", () => {
  async function removeAll(bench: Bench): Promise<void> {
    for (const path of bench.disk.tree().toReversed()) {
      if (path.endsWith("/")) {
        await bench.disk.removeDirectory(path.slice(0, -1));
      } else await bench.disk.removeFile(path);
    }
  }

  it("makes it anew for the next snapshot", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await save(store, "gone");
    await removeAll(bench);
    const id = await save(store, "new");
    assert.equal(await load(store, id), "new");
    await assert.rejects(bench.open(), StoreLockedError);
    await store.close();
    await (await bench.open()).close();
  });

  it("makes it anew once for all that want it", async () => {
    const bench = new Bench();
    const store = await bench.open({ retain: 10 });
    await removeAll(bench);
    const start = bench.files.trace.length;
    const sinks = await Promise.all([
      store.create(INIT),
      store.create(INIT),
      store.create(INIT),
    ]);
    const locks = bench.trace(start).filter((it) => it.startsWith("lock "));
    assert.equal(locks.length, 1, "it is not let go of in between");
    await Promise.all(sinks.map((sink) => sink.close()));
    assert.equal((await store.list()).length, 3);
    await store.close();
  });

  it("fails a sink that was open then", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const sink = await store.create(INIT);
    await removeAll(bench);
    await assert.rejects(sink.close(), { published: false });
    assert.equal(bench.files.openHandles, 0);
    await store.close();
  });
});
