/**
 * close() of a store: it ends sinks and sources, and later calls reject.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type FileSystem,
  SnapshotPublishError,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import type { FileStat, HeldDirectory } from "../../../src/fs/file_system.ts";
import { bytes } from "../../support/random.ts";
import {
  Gate,
  INIT,
  letOthersWork,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

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

  it("has given up its lock", async () => {
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
  it("gives up the lock at once, even when another call hangs", async () => {
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
    await assert.rejects(store.close(), { systemCode: "EIO" });
    await assert.rejects(store.list(), StoreClosedError);
  });
});

/** A directory that is held, as a user's class may have it. */
class UsersHeldDirectory implements HeldDirectory {
  readonly #held: HeldDirectory;
  syncs = 0;
  closes = 0;

  constructor(held: HeldDirectory) {
    this.#held = held;
  }

  get path(): string {
    return this.#held.path;
  }

  stat(): Promise<FileStat> {
    return this.#held.stat();
  }

  sync(): Promise<void> {
    this.syncs++;
    return this.#held.sync();
  }

  async close(): Promise<void> {
    this.closes++;
    await this.#held.close();
    throw new Error("mine");
  }
}

describe("a store whose file system is made of classes", () => {
  it("syncs snapshots/ through the held directory, and gives the lock up", async () => {
    const fixture = new StoreFixture();
    const held: UsersHeldDirectory[] = [];
    const fileSystem = new Proxy<FileSystem>(fixture.disk, {
      get: (disk, key) => {
        const value = Reflect.get(disk, key);
        if (key !== "holdDirectory") return value.bind(disk);
        return async (path: string) => {
          const made = await disk.holdDirectory(path);
          if (path !== SNAPSHOTS) return made;
          held.push(new UsersHeldDirectory(made));
          return held.at(-1);
        };
      },
    });
    const store = await fixture.open({ fileSystem });
    await save(store, "state");
    await store.close();
    const [first] = held;
    assert.equal(first?.closes, 1);
    assert.ok(first.syncs > 0);
    await (await fixture.open()).close();
  });
});
