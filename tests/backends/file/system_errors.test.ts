/**
 * Errors of the system concern the process or the place as a whole, or one
 * snapshot. Neither means that a snapshot is corrupt.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  NoUsableSnapshotError,
  type SnapshotStore,
  SnapshotUnreadableError,
  StoreAccessError,
} from "@raft/snapshots";
import { failOn, type Injector } from "@raft/snapshots/testing";
import {
  listIds,
  load,
  save,
  StoreFixture,
} from "../../support/store_fixture.ts";

/** Codes that say nothing of a snapshot, and one that no system has. */
const OF_THE_PLACE = [
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "ENOBUFS",
  "ESTALE",
  "ENOTCONN",
  "ETIMEDOUT",
  "EINVAL",
  "EWHATEVER",
] as const;

/** Codes that a single file can have. */
const OF_ONE_SNAPSHOT = ["EACCES", "EPERM", "EIO", "ELOOP", "EUCLEAN"] as const;

/** The operations of a store that reads a snapshot. */
const LOOKS = ["open", "stat", "statHandle", "read"] as const;

/** Two snapshots that the store has not looked into yet, the newest first. */
async function setUp() {
  const fixture = new StoreFixture();
  const [older, newest] = await fixture.prepare([1, 2]) as [string, string];
  const store = await fixture.open({ retain: 1 });
  const path = new RegExp(`/${newest}(/|$)`);
  return { fixture, store, older, newest, path };
}

/** The indexes of the snapshots that were tried, and of the restored one. */
async function restore(store: SnapshotStore) {
  const tried: bigint[] = [];
  const { meta } = await store.restore((source) => {
    tried.push(source.meta.index);
    return new Response(source).text();
  }) ?? {};
  return { tried, index: meta?.index };
}

/** An error as Deno throws it when a permission flag is missing. */
function notCapable(path: RegExp): Injector {
  const error = new Error("Requires read access, run again with --allow-read");
  error.name = "NotCapable";
  return (operation) => {
    if (!path.test(operation.path)) return undefined;
    return { wait: Promise.reject(error) };
  };
}

/** Asserts that nothing was moved, removed or taken for corrupt. */
async function assertAllThere({ fixture, store, older, newest }: Setting) {
  fixture.files.inject();
  assert.deepEqual(fixture.names(), [older, newest]);
  assert.deepEqual(await listIds(store), [newest, older]);
  assert.equal((await store.verify(newest)).ok, true);
  assert.deepEqual(await restore(store), { tried: [2n], index: 2n });
  assert.equal(fixture.openHandles, 0);
  await store.close();
}

type Setting = Awaited<ReturnType<typeof setUp>>;

function isOfPlace(error: unknown, code: string | undefined): true {
  assert.ok(error instanceof StoreAccessError, String(error));
  assert.equal(error.systemCode, code);
  assert.ok(error.cause instanceof Error);
  return true;
}

describe("an error of the process or the place", () => {
  for (const code of OF_THE_PLACE) {
    it(`makes list(), open(), verify() and reap() reject: ${code}`, async () => {
      for (const look of LOOKS) {
        const setting = await setUp();
        const { fixture, store, newest, path } = setting;
        fixture.files.inject(failOn(look, code, { path }));
        const is = (error: unknown) => isOfPlace(error, code);
        await assert.rejects(store.list(), is, look);
        await assert.rejects(load(store, newest), { systemCode: code }, look);
        await assert.rejects(store.verify(newest), is, look);
        await assert.rejects(store.reap(), is, look);
        await assertAllThere(setting);
      }
    });

    it(`makes restore() reject without trying an older snapshot: ${code}`, async () => {
      // Each of them takes all tries, which cost time.
      for (const look of code === "EMFILE" ? LOOKS : ["open"] as const) {
        const setting = await setUp();
        const { fixture, store, path } = setting;
        fixture.files.inject(failOn(look, code, { path }));
        await assert.rejects(
          restore(store),
          (error) => isOfPlace(error, code),
          look,
        );
        await assertAllThere(setting);
      }
    });
  }

  it("includes a missing permission of Deno", async () => {
    const setting = await setUp();
    const { fixture, store, newest, path } = setting;
    fixture.files.inject(notCapable(path));
    const is = (error: unknown) => isOfPlace(error, undefined);
    await assert.rejects(store.list(), is);
    await assert.rejects(store.verify(newest), is);
    await assert.rejects(restore(store), is);
    await assertAllThere(setting);
  });

  it("is recognized when snapshots/ fails as its snapshots do", async () => {
    for (const code of OF_ONE_SNAPSHOT) {
      const setting = await setUp();
      const { fixture, store, newest } = setting;
      // As of a directory without its search bit: its names can still be read.
      fixture.files.inject(failOn("stat", code, { path: /snapshots\// }));
      const is = (error: unknown) => isOfPlace(error, code);
      await assert.rejects(store.list(), is);
      await assert.rejects(store.open(newest), is);
      await assert.rejects(store.verify(newest), is);
      await assert.rejects(restore(store), is);
      fixture.files.inject(
        failOn("readDirectory", code, { path: /snapshots$/ }),
      );
      await assert.rejects(store.list(), is);
      await assert.rejects(restore(store), is);
      await assert.rejects(store.reap(), is);
      await assertAllThere(setting);
    }
  });

  it("is recognized when only blocks.crc64 can't be opened", async () => {
    const setting = await setUp();
    const { fixture, store } = setting;
    const path = /2-\d+\/blocks\.crc64$/;
    fixture.files.inject(failOn("open", "EMFILE", { path }));
    await assert.rejects(store.list(), (error) => isOfPlace(error, "EMFILE"));
    await assertAllThere(setting);
  });

  it("makes restore() try the newest again, and not an older one", async () => {
    for (const times of [1, 2, 3]) {
      const setting = await setUp();
      const { fixture, store, path } = setting;
      fixture.files.inject(failOn("open", "EMFILE", { path, times }));
      assert.deepEqual(await restore(store), { tried: [2n], index: 2n });
      assert.equal(fixture.log.matching("warn", "trying again").length, times);
      await assertAllThere(setting);
    }
  });

  it("makes restore() try again when it names snapshots/", async () => {
    const setting = await setUp();
    const { fixture, store } = setting;
    fixture.files.inject(failOn("readDirectory", "EMFILE", { times: 2 }));
    assert.deepEqual(await restore(store), { tried: [2n], index: 2n });
    await assertAllThere(setting);
  });

  it("is recognized although the caller's function hides it", async () => {
    const setting = await setUp();
    const { fixture, store, path } = setting;
    const tried: bigint[] = [];
    const hide = async (
      source: ReadableStream & { meta: { index: bigint } },
    ) => {
      tried.push(source.meta.index);
      await new Response(source).text().catch(() => {
        throw new Error("it did not work");
      });
    };
    fixture.files.inject((operation) =>
      operation.name === "read" && /state\.bin$/.test(operation.path) &&
        path.test(operation.path)
        ? { code: "ENOMEM" }
        : undefined
    );
    await assert.rejects(
      store.restore(hide),
      (error) => isOfPlace(error, "ENOMEM"),
    );
    assert.deepEqual(tried, [2n, 2n, 2n, 2n]);
    await assertAllThere(setting);
  });

  it("does not count against the snapshot when the caller's function throws it", async () => {
    const raw = Object.assign(new Error("too many open files"), {
      code: "EMFILE",
    });
    const wrapped = new Error("Cannot apply the state", { cause: raw });
    for (const error of [raw, wrapped]) {
      for (const times of [1, 3, Infinity]) {
        const setting = await setUp();
        const tried: bigint[] = [];
        const restoring = setting.store.restore((source) => {
          tried.push(source.meta.index);
          if (tried.length <= times) throw error;
          return new Response(source).text();
        });
        if (times === Infinity) {
          await assert.rejects(restoring, (rejected) => {
            assert.ok(rejected instanceof StoreAccessError);
            assert.equal(rejected.cause, error);
            return true;
          });
        } else assert.equal((await restoring)?.meta.index, 2n);
        assert.deepEqual([...new Set(tried)], [2n]);
        await assertAllThere(setting);
      }
    }
  });

  it("does not make restore() loop when it is its own cause", async () => {
    const { store } = await setUp();
    const error: Error & { cause?: unknown } = new Error("round");
    error.cause = error;
    await assert.rejects(
      store.restore(() => Promise.reject(error)),
      NoUsableSnapshotError,
    );
    await store.close();
  });
});

describe("an error of one snapshot", () => {
  for (const code of OF_ONE_SNAPSHOT) {
    it(`is skipped with a warning, and does not make it corrupt: ${code}`, async () => {
      for (const look of LOOKS) {
        const setting = await setUp();
        const { fixture, store, older, newest, path } = setting;
        fixture.files.inject(failOn(look, code, { path }));
        const is = (error: unknown) => {
          assert.ok(error instanceof SnapshotUnreadableError, String(error));
          assert.equal(error.systemCode, code);
          return true;
        };
        assert.deepEqual(await listIds(store), [older], look);
        assert.ok(fixture.log.matching("warn", newest)[0]?.includes(code));
        await assert.rejects(store.verify(newest), is, look);
        fixture.log.lines.length = 0;
        assert.deepEqual(await restore(store), { tried: [1n], index: 1n });
        const named = fixture.log.matching(
          "warn",
          `restore snapshot ${newest}`,
        );
        assert.ok(named[0]?.includes(code), look);
        fixture.files.inject(failOn(look, code, { path: /\/3-\d+-\d+(\/|$)/ }));
        await assert.rejects(restore(store), (error) => {
          assert.ok(error instanceof NoUsableSnapshotError);
          assert.equal(error.errors.length, 2);
          return error.errors.every(is);
        });
        await assertAllThere(setting);
      }
    });
  }

  it("is not followed by quarantine even if the snapshot is corrupt", async () => {
    const { fixture, store, older, newest, path } = await setUp();
    fixture.corrupt(newest);
    fixture.files.inject(failOn("open", "EIO", { path, times: 1 }));
    assert.deepEqual(await restore(store), { tried: [1n], index: 1n });
    assert.deepEqual(
      fixture.names(),
      [older, newest],
      "it was not looked into",
    );
    fixture.files.inject();
    assert.equal((await restore(store)).index, 1n);
    assert.deepEqual(fixture.names(), [older, `${newest}.corrupt.tmp`]);
    await store.close();
  });

  it("makes reap() keep older snapshots that may be needed in its place", async () => {
    const setting = await setUp();
    const { fixture, store, older, newest } = setting;
    fixture.files.inject(failOn("read", "EIO", { path: /2-\d+\/state\.bin$/ }));
    // Nothing older than the only one that may be good goes away for it.
    await assert.rejects(store.reap(), SnapshotUnreadableError);
    assert.deepEqual(fixture.names(), [older, newest]);
    fixture.files.inject(
      failOn("open", "EACCES", { path: /2-\d+\/meta\.json$/ }),
    );
    await store.reap();
    assert.deepEqual(fixture.names(), [older, newest]);
    const third = await save(store, "third", { index: 3 });
    await store.close();
    // It was looked at by the first reap, and is not read again.
    assert.deepEqual(fixture.names(), [third]);
    fixture.files.inject();
  });
});
