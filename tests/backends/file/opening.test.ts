/**
 * Opening a store: its directories, and the remains of a crash.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreAccessError, StoreLockedError } from "@raft/snapshots";
import { failOn, MemoryFileSystem } from "@raft/snapshots/testing";
import {
  INIT,
  listIds,
  load,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

describe("opening a store", () => {
  it("makes missing directories, and makes them durable", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await save(store, "state");
    const left = fixture.disk.crash({
      seed: 1,
      keptPercent: 0,
      renames: "atomic",
    });
    const after = await new StoreFixture(left).open();
    assert.equal((await after.list()).length, 1);
    await after.close();
  });

  it("makes directories durable that an earlier start has made and not synced", async () => {
    for (const last of ["/data", SNAPSHOTS]) {
      const files = new MemoryFileSystem();
      await files.makeDirectory("/data");
      if (last === SNAPSHOTS) {
        await files.syncDirectory("/");
        await files.makeDirectory(SNAPSHOTS);
      }
      // There it was killed.
      const store = await new StoreFixture(files).open();
      const id = await save(store, "state");
      const left = files.crash({ seed: 1, keptPercent: 0, renames: "atomic" });
      const after = await new StoreFixture(left).open();
      assert.deepEqual(await listIds(after), [id], `killed after ${last}`);
      await after.close();
    }
  });

  it("rejects with the system's code when the directory can't be written to", async () => {
    const names = ["makeDirectory", "open", "close", "removeFile"] as const;
    for (const name of [...names, "readDirectory"] as const) {
      for (const code of ["EACCES", "EROFS", "ENOSPC", "EIO"]) {
        const fixture = new StoreFixture();
        fixture.files.inject(failOn(name, code));
        await assert.rejects(fixture.open(), (error) => {
          assert.ok(error instanceof StoreAccessError, `${name}: ${error}`);
          assert.equal(error.systemCode, code);
          assert.ok(error.message.includes(SNAPSHOTS));
          return true;
        });
        fixture.files.inject();
        assert.equal(fixture.openHandles, 0);
        await (await fixture.open()).close(); // the lock is free
      }
    }
  });

  it("leaves no test file behind, and replaces one that was left", async () => {
    const fixture = new StoreFixture();
    fixture.disk.writeFile(`${SNAPSHOTS}/permTest`, new Uint8Array(3));
    const store = await fixture.open();
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("succeeds although a directory is in the test file's place", async () => {
    const fixture = new StoreFixture();
    fixture.write("permTest", "file", "content");
    const store = await fixture.open();
    assert.deepEqual(fixture.names(), ["permTest"]);
    await save(store, "state");
    await store.close();
  });

  it("sweeps the remains of a crash, and nothing else", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
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
    for (const name of kept.slice(1)) fixture.write(name, "file", "content");
    for (
      const name of ["1-1-1.tmp", "1-1-2.deleted.tmp", "1-1-3.sealing.tmp"]
    ) {
      fixture.write(name, "state.bin", "half");
      fixture.write(name, "deep/er/file", "content");
    }
    fixture.disk.writeFile(`${SNAPSHOTS}/1-1-7.tmp`, new Uint8Array());
    const again = await fixture.open();
    assert.deepEqual(fixture.names(), [...kept, "1-1-7.tmp"].sort());
    assert.equal(fixture.log.matching("info", "Removed").length, 3);
    assert.deepEqual(await listIds(again), [good]);
    await again.close();
  });

  it("succeeds although a leftover can't be removed", async () => {
    const fixture = new StoreFixture();
    fixture.write("1-1-1.tmp", "state.bin", "half");
    fixture.files.inject(failOn("removeFile", "EPERM", { path: /state\.bin/ }));
    const store = await fixture.open();
    assert.equal(fixture.log.matching("warn", "1-1-1.deleted.tmp").length, 1);
    assert.deepEqual(await store.list(), []);
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("gives the store to only one of two at the same time", async () => {
    const fixture = new StoreFixture();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => fixture.open()),
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
  async function removeAll(fixture: StoreFixture): Promise<void> {
    for (const path of fixture.disk.tree().toReversed()) {
      if (path.endsWith("/")) {
        await fixture.disk.removeDirectory(path.slice(0, -1));
      } else await fixture.disk.removeFile(path);
    }
  }

  it("makes it again for the next snapshot", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await save(store, "gone");
    await removeAll(fixture);
    const id = await save(store, "new");
    assert.equal(await load(store, id), "new");
    await assert.rejects(fixture.open(), StoreLockedError);
    await store.close();
    await (await fixture.open()).close();
  });

  it("makes it again once for several snapshots", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 10 });
    await removeAll(fixture);
    const start = fixture.files.trace.length;
    const sinks = await Promise.all([
      store.create(INIT),
      store.create(INIT),
      store.create(INIT),
    ]);
    const locks = fixture.trace(start).filter((it) => it.startsWith("lock "));
    assert.equal(locks.length, 1, "it is not let go of in between");
    await Promise.all(sinks.map((sink) => sink.close()));
    assert.equal((await store.list()).length, 3);
    await store.close();
  });

  it("fails a sink that was open at that time", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    await removeAll(fixture);
    await assert.rejects(sink.close(), { published: false });
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });
});
