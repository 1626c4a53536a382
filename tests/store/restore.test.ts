/**
 * Start-up: the newest snapshot that can be restored, and what becomes of those
 * that could not.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  NoUsableSnapshotError,
  SnapshotCorruptError,
  type SnapshotSource,
  type SnapshotStore,
  StoreClosedError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import {
  decode,
  letOthersWork,
  listIds,
  load,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

/** A store with snapshots of the indexes 1, 2, ..., newest first. */
async function prepare(count: number) {
  const fixture = new StoreFixture();
  const store = await fixture.open({ retain: 100 });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.unshift(await save(store, `state ${index}`, { index }));
  }
  return { fixture, store, ids, id: (i: number) => ids[i] as string };
}

/** Restores into a string. */
async function restoreText(store: SnapshotStore) {
  const tried: string[] = [];
  let text: string | undefined;
  const meta = await store.restore(async (source) => {
    tried.push(source.meta.id);
    text = await new Response(source).text();
  });
  return { meta, text, tried };
}

/** Each way to spoil a snapshot. */
const DAMAGES: Readonly<
  Record<string, (fixture: StoreFixture, id: string) => unknown>
> = {
  "a flipped bit": (fixture, id) => fixture.corrupt(id, 3),
  "a shorter state": (fixture, id) => fixture.write(id, "state.bin", "stat"),
  "a longer state": (fixture, id) =>
    fixture.write(id, "state.bin", "state 2222"),
  "no state": (fixture, id) => fixture.remove(id, "state.bin"),
  "no meta.json": (fixture, id) => fixture.remove(id, "meta.json"),
  "an empty meta.json": (fixture, id) => fixture.write(id, "meta.json", ""),
  "half a meta.json": (fixture, id) =>
    fixture.write(
      id,
      "meta.json",
      fixture.read(id, "meta.json").subarray(0, 50),
    ),
  "another's meta.json": async (fixture, id) => {
    const meta = decode(fixture.read(id, "meta.json"));
    fixture.write(id, "meta.json", meta.replaceAll(id, "9-9-9"));
    await fixture.unseal(id);
  },
  "a provisional meta.json": async (fixture, id) => {
    const meta = decode(fixture.read(id, "meta.json"));
    fixture.write(id, "state.bin", "");
    fixture.write(
      id,
      "meta.json",
      meta.replace(/"Size":.*/, '"Size":0,"CRC":null}\n'),
    );
    await fixture.unseal(id);
  },
};

describe("restore()", () => {
  it("resolves to undefined when there is no snapshot at all", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const { meta, tried } = await restoreText(store);
    assert.equal(meta, undefined);
    assert.deepEqual(tried, []);
    await store.close();
  });

  it("resolves to undefined also beside strangers and what a crash left", async () => {
    const fixture = new StoreFixture();
    fixture.disk.writeFile(`${SNAPSHOTS}/notes.txt`, new Uint8Array());
    fixture.write("1-1-1.tmp", "state.bin", "half");
    const store = await fixture.open();
    assert.equal((await restoreText(store)).meta, undefined);
    await store.close();
  });

  it("refuses what is no function before it tries any", async () => {
    const { fixture, store } = await prepare(1);
    await assert.rejects(store.restore(undefined as never), {
      name: "TypeError",
      message: "Cannot restore: found undefined, expected a function",
    });
    assert.deepEqual(fixture.log.matching("warn"), []);
  });

  it("takes the newest, and says which it was", async () => {
    const { fixture, store, id } = await prepare(3);
    const { meta, text, tried } = await restoreText(store);
    assert.equal(meta?.id, id(0));
    assert.equal(meta.index, 3n);
    assert.equal(text, "state 3");
    assert.deepEqual(tried, [id(0)]);
    assert.equal(fixture.files.openHandles, 0);
    await store.close();
  });

  for (const [damage, spoil] of Object.entries(DAMAGES)) {
    it(`falls back when the newest has ${damage}, and sets it aside`, async () => {
      const { fixture, store, ids, id } = await prepare(3);
      await spoil(fixture, id(0));
      const { meta, text } = await restoreText(store);
      assert.equal(meta?.id, id(1));
      assert.equal(text, "state 2");
      assert.deepEqual(await listIds(store), ids.slice(1));
      assert.deepEqual(
        fixture.names(),
        [id(2), id(1), `${id(0)}.corrupt.tmp`].sort(),
      );
      assert.ok(fixture.log.matching("warn", id(0)).length >= 2);
      assert.equal(fixture.files.openHandles, 0);
      await store.close();
    });
  }

  it("keeps what it has set aside as it was, across starts and reaps", async () => {
    const { fixture, store, id } = await prepare(2);
    fixture.corrupt(id(0), 3);
    await restoreText(store);
    await store.reap();
    await store.close();
    const again = await fixture.open({ retain: 1 });
    await save(again, "new", { index: 5 });
    const state = fixture.read(`${id(0)}.corrupt.tmp`, "state.bin");
    assert.equal(decode(state), "staue 2");
    await again.close();
  });

  it("falls back further, and keeps only two aside, the newest", async () => {
    const { fixture, store, ids, id } = await prepare(6);
    for (const bad of ids.slice(0, 4)) fixture.corrupt(bad);
    const { meta } = await restoreText(store);
    assert.equal(meta?.id, id(4));
    assert.deepEqual(
      fixture.names(),
      [id(5), id(4), `${id(1)}.corrupt.tmp`, `${id(0)}.corrupt.tmp`].sort(),
    );
    await store.close();
  });

  it("keeps only two aside over many starts", async () => {
    const { fixture, store, id } = await prepare(1);
    await store.close();
    for (let index = 2; index < 8; index++) {
      const next = await fixture.open({ retain: 100 });
      const bad = await save(next, "bad", { index });
      fixture.corrupt(bad);
      assert.equal((await restoreText(next)).meta?.id, id(0));
      const aside = fixture.names().filter((name) => name.endsWith(".tmp"));
      assert.ok(aside.length <= 2, aside.join());
      assert.ok(aside.includes(`${bad}.corrupt.tmp`));
      await next.close();
    }
  });

  it("rejects when all are bad, and does so again at the next start", async () => {
    const { fixture, store, ids } = await prepare(3);
    for (const id of ids) fixture.corrupt(id);
    await store.close();
    for (let start = 0; start < 3; start++) {
      const next = await fixture.open();
      await assert.rejects(restoreText(next), (error) => {
        assert.ok(error instanceof NoUsableSnapshotError);
        assert.equal(error.errors.length, 3);
        for (const [i, each] of error.errors.entries()) {
          assert.ok(each instanceof SnapshotCorruptError);
          assert.ok(each.message.includes(ids[i] ?? "?"), "newest first");
        }
        assert.equal(error.cause, error.errors[0]);
        return true;
      });
      // The only copies there are: nobody may take them away.
      assert.deepEqual(fixture.names(), ids.toSorted());
      await next.close();
    }
  });

  it("rejects when all that is left has been set aside", async () => {
    const { fixture, store, id } = await prepare(2);
    fixture.corrupt(id(0));
    await restoreText(store);
    await store.delete(id(1));
    await assert.rejects(restoreText(store), NoUsableSnapshotError);
    await store.close();
    const next = await fixture.open();
    await assert.rejects(restoreText(next), NoUsableSnapshotError);
    await next.close();
  });

  it("takes no store for empty that has names in it", async () => {
    const { fixture, store } = await prepare(2);
    // Whatever a disk may be that lists what it says is not there.
    fixture.files.inject(failOn("stat", "ENOENT", { path: /\/3-\d+-\d+$/ }));
    await assert.rejects(restoreText(store), NoUsableSnapshotError);
    fixture.files.inject();
    assert.equal((await restoreText(store)).text, "state 2");
    await store.close();
  });

  it("goes to the next older one whatever the reason, and spares the good", async () => {
    const { fixture, store, ids, id } = await prepare(3);
    const mine = new Error("out of memory");
    const tried: string[] = [];
    const meta = await store.restore((source: SnapshotSource) => {
      tried.push(source.meta.id);
      if (tried.length === 1) throw mine;
      // Something that no text can be made of.
      if (tried.length === 2) return Promise.reject(Object.create(null));
      return new Response(source).text();
    });
    assert.equal(meta?.id, id(2));
    assert.deepEqual(tried, ids);
    assert.deepEqual(await listIds(store), ids, "none is corrupt");
    for (const why of ["out of memory", "[object Object]"]) {
      assert.equal(fixture.log.matching("warn", `: ${why}`).length, 1);
    }
    await until(() => fixture.files.openHandles === 0, "the files are closed");
    await store.close();
  });

  it("hands the caller's own failures on when there is no more", async () => {
    const { fixture, store, ids } = await prepare(2);
    const mine = new Error("out of memory");
    await assert.rejects(
      store.restore(() => Promise.reject(mine)),
      (error) => {
        assert.ok(error instanceof NoUsableSnapshotError);
        assert.deepEqual(error.errors, [mine, mine]);
        assert.match(error.message, /; the newest: out of memory$/);
        return true;
      },
    );
    assert.deepEqual(await listIds(store), ids);
    await until(() => fixture.files.openHandles === 0, "the files are closed");
    await store.close();
  });

  it("passes over an unknown version without setting it aside", async () => {
    const { fixture, store, id } = await prepare(2);
    const meta = decode(fixture.read(id(0), "meta.json"));
    fixture.write(
      id(0),
      "meta.json",
      meta.replace('"Version":1', '"Version":2'),
    );
    await fixture.unseal(id(0));
    assert.equal((await restoreText(store)).meta?.id, id(1));
    assert.ok(fixture.names().includes(id(0)));
    await store.delete(id(1));
    await assert.rejects(restoreText(store), (error) => {
      assert.ok(error instanceof NoUsableSnapshotError);
      assert.ok(error.errors[0] instanceof UnsupportedSnapshotVersionError);
      return true;
    });
    await store.close();
  });

  it("passes over what can't be read just now without setting it aside", async () => {
    const { fixture, store, id } = await prepare(2);
    const path = new RegExp(`${id(0)}/state\\.bin$`);
    for (const name of ["open", "read", "statHandle"] as const) {
      fixture.files.inject(failOn(name, "EIO", { path }));
      assert.equal((await restoreText(store)).meta?.id, id(1));
      assert.ok(fixture.names().includes(id(0)), name);
    }
    fixture.files.inject();
    assert.equal((await restoreText(store)).meta?.id, id(0));
    await store.close();
  });

  it("notices a bad block after the good ones have been consumed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    const old = await save(store, "old", { index: 1 });
    const bad = await save(store, bytes(5000, 1), { index: 2 });
    fixture.corrupt(bad, 4999);
    let consumed = 0;
    const meta = await store.restore(async (source) => {
      for await (const chunk of source) {
        if (source.meta.id === bad) consumed += chunk.length;
      }
    });
    assert.equal(meta?.id, old);
    assert.equal(consumed, 9 * 512);
    assert.deepEqual(await listIds(store), [old]);
    await store.close();
  });

  it("takes the source back when the caller is done", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: 512 });
    await save(store, bytes(100_000, 1));
    let kept: SnapshotSource | undefined;
    await store.restore((source) => {
      kept = source;
      return Promise.resolve(); // which is the caller's to decide
    });
    assert.ok(kept !== undefined);
    await assert.rejects(new Response(kept).text());
    await until(() => fixture.files.openHandles === 0, "the file is closed");
    await store.close();
  });

  it("succeeds although the corrupt one can't be set aside", async () => {
    const { fixture, store, ids, id } = await prepare(2);
    fixture.corrupt(id(0));
    fixture.files.inject(failOn("rename", "EBUSY"));
    assert.equal((await restoreText(store)).meta?.id, id(1));
    assert.deepEqual(await listIds(store), ids);
    assert.equal(fixture.log.matching("warn", "EBUSY").length, 1);
    await store.close();
  });

  it("can be run again, and while snapshots are taken", async () => {
    const { fixture, store, ids } = await prepare(2);
    const results = await Promise.all([
      restoreText(store),
      restoreText(store),
      save(store, "new", { index: 9 }),
    ]);
    for (const { meta } of results.slice(0, 2) as { meta?: { id: string } }[]) {
      assert.ok([...ids, results[2]].includes(meta?.id ?? ""));
    }
    assert.equal(await load(store, results[2]), "new");
    assert.equal(fixture.files.openHandles, 0);
    await store.close();
  });

  it("rejects with StoreClosedError when the store is closed meanwhile", async () => {
    for (const count of [1, 2]) {
      const { fixture, store, ids } = await prepare(count);
      await assert.rejects(
        store.restore(async (source) => {
          await store.close();
          await new Response(source).text();
        }),
        StoreClosedError,
      );
      await assert.rejects(restoreText(store), StoreClosedError);
      assert.deepEqual(fixture.names(), ids.toSorted());
    }
  });

  it("touches nothing once the store has been closed", async () => {
    const { fixture, store, ids, id } = await prepare(2);
    fixture.write(id(0), "meta.json", "garbage");
    let before = 0;
    const meta = await store.restore(async (source) => {
      await new Response(source).text();
      await store.close(); // the directory may be another's now
      before = fixture.files.trace.length;
    });
    assert.equal(meta?.id, id(1));
    assert.deepEqual(fixture.names(), ids.toSorted());
    assert.deepEqual(fixture.trace(before), []);
  });

  it("lets close() wait until it reads no more of what may be corrupt", async () => {
    const { fixture, store, ids, id } = await prepare(3);
    for (const bad of [id(0), id(1)]) fixture.corrupt(bad);
    let restored = false;
    let closing: Promise<number> | undefined;
    fixture.files.inject(({ name, path }) => {
      const isRead = name === "read" && path.endsWith(`${id(0)}/state.bin`);
      if (!restored || !isRead) return undefined;
      closing ??= store.close().then(() => fixture.files.trace.length);
      return { wait: letOthersWork() };
    });
    const meta = await store.restore(async (source) => {
      await new Response(source).text();
      restored = true;
    });
    assert.equal(meta?.id, id(2));
    const before = await closing;
    assert.ok(before !== undefined, "nothing was read to find out");
    assert.deepEqual(fixture.trace(before), []);
    assert.deepEqual(fixture.names(), ids.toSorted());
  });
});
