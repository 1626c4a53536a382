/**
 * Start-up: the newest snapshot that can be restored is restored, and corrupt
 * newer ones are quarantined. Tests that depend on files are in
 * tests/backends/file.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import {
  NoUsableSnapshotError,
  SnapshotCorruptError,
  type SnapshotSource,
  type SnapshotStore,
  StoreClosedError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import {
  decode,
  listIds,
  load,
  save,
  until,
} from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";
import { onEachPlace, type Place } from "./places.ts";

/** A store with snapshots of the indexes 1, 2, ..., newest first. */
async function setUp(place: Place, count: number) {
  const store = await place.open({ retain: 100 });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.unshift(await save(store, `state ${index}`, { index }));
  }
  return { place, store, ids, id: (i: number) => ids[i] as string };
}

/** Restores into a string. */
async function restoreText(store: SnapshotStore) {
  const tried: string[] = [];
  let text: string | undefined;
  const { meta } = await store.restore(async (source) => {
    tried.push(source.meta.id);
    text = await new Response(source).text();
  }) ?? {};
  return { meta, text, tried };
}

/** Each way to spoil a snapshot. */
const DAMAGES: Readonly<
  Record<string, (place: Place, id: string) => unknown>
> = {
  "a flipped bit": (place, id) => place.corrupt(id, 3),
  "a shorter state": (place, id) => place.write(id, "state.bin", "stat"),
  "a longer state": (place, id) => place.write(id, "state.bin", "state 2222"),
  "no state": (place, id) => place.remove(id, "state.bin"),
  "no meta.json": (place, id) => place.remove(id, "meta.json"),
  "an empty meta.json": (place, id) => place.write(id, "meta.json", ""),
  "half a meta.json": async (place, id) => {
    const meta = await place.read(id, "meta.json");
    place.write(id, "meta.json", meta.subarray(0, 50));
  },
  "another's meta.json": async (place, id) => {
    const meta = decode(await place.read(id, "meta.json"));
    place.write(id, "meta.json", meta.replaceAll(id, "9-9-9"));
    await place.unseal(id);
  },
  "a provisional meta.json": async (place, id) => {
    const meta = decode(await place.read(id, "meta.json"));
    place.write(id, "state.bin", "");
    place.write(
      id,
      "meta.json",
      meta.replace(/"Size":.*/, '"Size":0,"CRC":null}\n'),
    );
    await place.unseal(id);
  },
};

onEachPlace("restore()", (makePlace) => {
  it("resolves to undefined when there is no snapshot at all", async () => {
    const place = makePlace();
    const store = await place.open();
    const { meta, tried } = await restoreText(store);
    assert.equal(meta, undefined);
    assert.deepEqual(tried, []);
    await store.close();
  });

  it("rejects an argument that is not a function before it opens a snapshot", async () => {
    const { place, store } = await setUp(makePlace(), 1);
    await assert.rejects(store.restore(undefined as never), {
      name: "TypeError",
      message: "Cannot restore: found undefined, expected a function",
    });
    assert.deepEqual(place.log.matching("warn"), []);
  });

  it("takes the newest, and says which it was", async () => {
    const { place, store, id } = await setUp(makePlace(), 3);
    const { meta, text, tried } = await restoreText(store);
    assert.equal(meta?.id, id(0));
    assert.equal(meta.index, 3n);
    assert.equal(text, "state 3");
    assert.deepEqual(tried, [id(0)]);
    assert.equal(place.openStates, 0);
    await store.close();
  });

  for (const [damage, spoil] of Object.entries(DAMAGES)) {
    it(`falls back when the newest has ${damage}, and quarantines it`, async () => {
      const { place, store, ids, id } = await setUp(makePlace(), 3);
      await spoil(place, id(0));
      const { meta, text } = await restoreText(store);
      assert.equal(meta?.id, id(1));
      assert.equal(text, "state 2");
      assert.deepEqual(await listIds(store), ids.slice(1));
      assert.deepEqual(
        await place.names(),
        [id(2), id(1), `${id(0)}.corrupt.tmp`].sort(),
      );
      assert.ok(place.log.matching("warn", id(0)).length >= 2);
      assert.equal(place.openStates, 0);
      await store.close();
    });
  }

  it("falls back further, and keeps only the newest two in quarantine", async () => {
    const { place, store, ids, id } = await setUp(makePlace(), 6);
    for (const bad of ids.slice(0, 4)) await place.corrupt(bad);
    const { meta } = await restoreText(store);
    assert.equal(meta?.id, id(4));
    assert.deepEqual(
      await place.names(),
      [id(5), id(4), `${id(1)}.corrupt.tmp`, `${id(0)}.corrupt.tmp`].sort(),
    );
    await store.close();
  });

  it("keeps only two in quarantine over many starts", async () => {
    const { place, store, id } = await setUp(makePlace(), 1);
    await store.close();
    for (let index = 2; index < 8; index++) {
      const next = await place.open({ retain: 100 });
      const bad = await save(next, "bad", { index });
      await place.corrupt(bad);
      assert.equal((await restoreText(next)).meta?.id, id(0));
      const aside = (await place.names()).filter((name) =>
        name.endsWith(".tmp")
      );
      assert.ok(aside.length <= 2, aside.join());
      assert.ok(aside.includes(`${bad}.corrupt.tmp`));
      await next.close();
    }
  });

  it("rejects when all are bad, and does so again at the next start", async () => {
    const { place, store, ids } = await setUp(makePlace(), 3);
    for (const id of ids) await place.corrupt(id);
    await store.close();
    for (let start = 0; start < 3; start++) {
      const next = await place.open();
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
      // They are the only copies, so no reap may remove them.
      assert.deepEqual(await place.names(), ids.toSorted());
      await next.close();
    }
  });

  it("rejects when all that is left is in quarantine", async () => {
    const { place, store, id } = await setUp(makePlace(), 2);
    await place.corrupt(id(0));
    await restoreText(store);
    await store.delete(id(1));
    await assert.rejects(restoreText(store), NoUsableSnapshotError);
    await store.close();
    const next = await place.open();
    await assert.rejects(restoreText(next), NoUsableSnapshotError);
    await next.close();
  });

  it("tries the next older one whatever the reason, and keeps the good ones", async () => {
    const { place, store, ids, id } = await setUp(makePlace(), 3);
    const mine = new Error("out of memory");
    const tried: string[] = [];
    const textless = Object.create(null);
    const restored = await store.restore((source: SnapshotSource) => {
      tried.push(source.meta.id);
      if (tried.length === 1) throw mine;
      // Something that no text can be made of.
      if (tried.length === 2) return Promise.reject(textless);
      return new Response(source).text();
    });
    assert.equal(restored?.meta.id, id(2));
    assert.deepEqual(restored.skipped, [
      { id: id(0), error: mine },
      { id: id(1), error: textless },
    ]);
    assert.deepEqual(tried, ids);
    assert.deepEqual(await listIds(store), ids, "none is corrupt");
    for (const why of ["out of memory", "[object Object]"]) {
      assert.equal(place.log.matching("warn", `: ${why}`).length, 1);
    }
    await until(() => place.openStates === 0, "the files are closed");
    await store.close();
  });

  it("rejects with the caller's own failures when there are no more snapshots", async () => {
    const { place, store, ids } = await setUp(makePlace(), 2);
    const mine = new Error("out of memory");
    await assert.rejects(
      store.restore(() => Promise.reject(mine)),
      (error) => {
        assert.ok(error instanceof NoUsableSnapshotError);
        assert.deepEqual(error.errors, [mine, mine]);
        assert.match(
          error.message,
          /; the newest: the function given to restore\(\) failed: out of memory$/,
        );
        return true;
      },
    );
    assert.deepEqual(await listIds(store), ids);
    await until(() => place.openStates === 0, "the files are closed");
    await store.close();
  });

  it("passes over an unknown version without a quarantine", async () => {
    const { place, store, id } = await setUp(makePlace(), 2);
    const meta = decode(await place.read(id(0), "meta.json"));
    place.write(id(0), "meta.json", meta.replace('"Version":1', '"Version":2'));
    await place.unseal(id(0));
    assert.equal((await restoreText(store)).meta?.id, id(1));
    assert.ok((await place.names()).includes(id(0)));
    await store.delete(id(1));
    await assert.rejects(restoreText(store), (error) => {
      assert.ok(error instanceof NoUsableSnapshotError);
      assert.ok(error.errors[0] instanceof UnsupportedSnapshotVersionError);
      return true;
    });
    await store.close();
  });

  it("notices a bad block after the good ones have been consumed", async () => {
    const place = makePlace();
    const store = await place.open({ blockSize: 512 });
    const old = await save(store, "old", { index: 1 });
    const bad = await save(store, bytes(5000, 1), { index: 2 });
    await place.corrupt(bad, 4999);
    let consumed = 0;
    const { meta } = await store.restore(async (source) => {
      for await (const chunk of source) {
        if (source.meta.id === bad) consumed += chunk.length;
      }
    }) ?? {};
    assert.equal(meta?.id, old);
    assert.equal(consumed, 9 * 512);
    assert.deepEqual(await listIds(store), [old]);
    await store.close();
  });

  it("can be run again, and while snapshots are taken", async () => {
    const { place, store, ids } = await setUp(makePlace(), 2);
    const results = await Promise.all([
      restoreText(store),
      restoreText(store),
      save(store, "new", { index: 9 }),
    ]);
    for (const { meta } of results.slice(0, 2) as { meta?: { id: string } }[]) {
      assert.ok([...ids, results[2]].includes(meta?.id ?? ""));
    }
    assert.equal(await load(store, results[2]), "new");
    assert.equal(place.openStates, 0);
    await store.close();
  });

  it("rejects with StoreClosedError when the store is closed meanwhile", async () => {
    for (const count of [1, 2]) {
      const { place, store, ids } = await setUp(makePlace(), count);
      await assert.rejects(
        store.restore(async (source) => {
          await store.close();
          await new Response(source).text();
        }),
        StoreClosedError,
      );
      await assert.rejects(restoreText(store), StoreClosedError);
      assert.deepEqual(await place.names(), ids.toSorted());
    }
  });
});
