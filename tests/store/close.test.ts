/**
 * close() of a store: what it ends, and what is refused from then on.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  SnapshotPublishError,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import {
  encode,
  Gate,
  INIT,
  letOthersWork,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";

const ID = "3-10-1";

/** Every call that a store takes. */
const CALLS: Readonly<
  Record<string, (store: SnapshotStore) => Promise<unknown>>
> = {
  create: (store) => store.create(INIT),
  list: (store) => store.list(),
  open: (store) => store.open(ID),
  verify: (store) => store.verify(ID),
  seal: (store) => store.seal(ID),
  restore: (store) => store.restore(() => Promise.resolve()),
  reap: (store) => store.reap(),
  delete: (store) => store.delete(ID),
};

describe("a store that has been closed", () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`refuses ${name}()`, async () => {
      for (const readOnly of [false, true]) {
        const fixture = new StoreFixture();
        await (await fixture.open()).close();
        const store = await fixture.open({ readOnly });
        await store.close();
        const start = fixture.files.trace.length;
        await assert.rejects(call(store), StoreClosedError);
        assert.equal(fixture.files.trace.length, start);
      }
    });
  }

  it("may be closed again", async () => {
    const store = await new StoreFixture().open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
  });

  it("has given its lock up", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await store[Symbol.asyncDispose]();
    await (await fixture.open()).close();
    assert.deepEqual(
      fixture.disk.tree().filter((path) => path.includes(".lock")),
      [],
    );
  });
});

describe("closing a store", () => {
  it("cancels its open sinks, and removes every trace of them", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const idle = await store.create(INIT);
    const busy = await store.create(INIT);
    const writer = busy.getWriter();
    await writer.write(encode("half"));
    await store.close();
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.files.openHandles, 0);
    await assert.rejects(writer.write(encode("more")), StoreClosedError);
    for (const sink of [idle, busy]) {
      await assert.rejects(sink.close(), (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.ok(error.cause instanceof StoreClosedError);
        return true;
      });
    }
  });

  it("errors its open sources, and closes their files", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const ids = [await save(store, "small"), await save(store, bytes(9000, 1))];
    const unread = await Promise.all(ids.map((id) => store.open(id)));
    const begun = (await store.open(ids[1] ?? "")).getReader();
    await begun.read();
    await store.close();
    assert.equal(fixture.files.openHandles, 0);
    for (const source of unread) {
      await assert.rejects(new Response(source).text(), StoreClosedError);
    }
    await assert.rejects(async () => {
      while (!(await begun.read()).done);
    }, StoreClosedError);
  });

  it("does so at once, also when another call is stuck", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    let stuck = 0;
    fixture.files.inject(({ name }) =>
      name === "readDirectory" && stuck++ === 0
        ? { wait: gate.opened }
        : undefined
    );
    const listed = store.list().catch(() => {});
    const closed = store.close();
    await assert.rejects(sink.close(), SnapshotPublishError);
    await letOthersWork();
    assert.deepEqual(fixture.names(), []);
    gate.open();
    await Promise.all([listed, closed]);
  });

  it("leaves a source that has been read to its end in peace", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const source = await store.open(await save(store, "state"));
    assert.equal(await new Response(source).text(), "state");
    await store.close();
  });

  it("lets a publication that is under way come to its end", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    fixture.files.inject(({ name, path }) =>
      name === "syncDirectory" && path === SNAPSHOTS
        ? { wait: gate.opened }
        : undefined
    );
    const published = sink.close();
    await letOthersWork();
    let isClosed = false;
    const closed = store.close().then(() => isClosed = true);
    await letOthersWork();
    assert.equal(isClosed, false);
    gate.open();
    await Promise.all([published, closed]);
    const next = await fixture.open({ readOnly: true });
    assert.deepEqual(await listIds(next), [sink.id]);
  });

  it("waits for every call that is under way before it unlocks", async () => {
    for (const [name, call] of Object.entries(CALLS)) {
      const fixture = new StoreFixture();
      const store = await fixture.open({
        retain: 1,
        clock: () => 1,
        blockSize: 512,
      });
      await save(store, bytes(20_000, 1));
      if (name === "seal") await fixture.unseal(ID);
      const gate = new Gate();
      fixture.files.inject(({ name }) =>
        name === "release" ? undefined : { wait: gate.opened }
      );
      const outcome = call(store).then(
        (result) => result,
        (error) => error,
      );
      await letOthersWork(5);
      const start = fixture.files.trace.length;
      const closed = store.close();
      await letOthersWork(5);
      if (name !== "restore") {
        assert.ok(!fixture.trace(start).some((it) => it.startsWith("release")));
      }
      gate.open();
      await Promise.all([outcome, closed]);
      const end = fixture.files.trace.length;
      await letOthersWork(20);
      assert.equal(fixture.files.trace.length, end, `after ${name}`);
      assert.equal(fixture.files.openHandles, 0, `after ${name}`);
      const left = fixture.names().filter((it) => it.endsWith(".tmp"));
      assert.deepEqual(left, [], `after ${name}`);
    }
  });

  it("says when the lock could not be given up", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("release", "EIO"));
    await assert.rejects(store.close(), { code: "EIO" });
    await assert.rejects(store.list(), StoreClosedError);
  });
});
