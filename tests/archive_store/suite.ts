/**
 * The rules for every store of archives, wherever it keeps them.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytes } from "../support/random.ts";
import { type ArchivePlace, put, readAll } from "./places.ts";

/** Declares the tests of a store of archives in a place. */
export function testArchiveStore(place: ArchivePlace): void {
  describe(`a store of archives in ${place.name}`, () => {
    it("keeps an archive byte for byte", async () => {
      const open = await place.open();
      for (const size of [0, 1, 300_000, 11_000_000]) {
        const content = bytes(size, 1);
        const name = await put(open(), 7n, 1_000 + size, content);
        assert.equal(name, `7-${1_000 + size}.snap`);
        assert.deepEqual(await readAll(open(), name), content);
        const [newest] = await open().list();
        assert.deepEqual(newest, {
          name,
          index: 7n,
          createdAt: new Date(1_000 + size),
          size,
        });
      }
    });

    it("lists the newest first by time, whatever the index is", async () => {
      const store = (await place.open())();
      await put(store, 900n, 1_000);
      await put(store, 3n, 3_000);
      await put(store, 2n ** 64n - 1n, 2_000);
      const names = (await store.list()).map(({ name }) => name);
      assert.deepEqual(names, [
        "3-3000.snap",
        "18446744073709551615-2000.snap",
        "900-1000.snap",
      ]);
    });

    it("shows nothing of an archive before it is closed, or when it is aborted", async () => {
      const open = await place.open();
      await put(open(), 1n, 1_000);
      const sink = await open().create({ index: 2n });
      const writer = sink.getWriter();
      await writer.write(bytes(9_000_000, 1));
      assert.equal((await open().list()).length, 1);
      await writer.abort(new Error("no"));
      assert.equal((await open().list()).length, 1);
    });

    it("replaces no archive", async () => {
      const store = (await place.open())();
      const name = await put(store, 1n, 1_000, "first");
      await assert.rejects(put(store, 1n, 1_000, "second"));
      assert.equal((await readAll(store, name)).length, 5);
      assert.deepEqual(await store.sweep(0), [], "nothing is left of it");
    });

    it("removes an archive, also one that is gone", async () => {
      const store = (await place.open())();
      const name = await put(store, 1n, 1_000);
      await store.delete(name);
      await store.delete(name);
      assert.deepEqual(await store.list(), []);
      await assert.rejects(store.open(name), { name: "SnapshotNotFoundError" });
    });

    it("makes no path of a name that is not one of an archive", async () => {
      const store = (await place.open())();
      await put(store, 1n, 1_000);
      const names = [
        "../1-1000.snap",
        "1-1000.snap/..",
        "01-1000.snap",
        "1-1000",
        "",
        `${2n ** 64n}-1000.snap`,
        "1-8640000000000001.snap",
        "lease.json",
        ".lock",
      ];
      for (const name of names) {
        await assert.rejects(store.open(name), {
          name: "SnapshotNotFoundError",
        });
        await assert.rejects(store.delete(name), {
          name: "SnapshotNotFoundError",
        });
      }
      assert.equal((await store.list()).length, 1);
    });

    it("refuses an index or a time that can't be in a name", async () => {
      const store = (await place.open())();
      const wrong = [
        { index: -1n },
        { index: 2n ** 64n },
        { index: 1n, createdAt: new Date(NaN) },
        { index: 1n, createdAt: new Date(-1) },
      ];
      for (const naming of wrong) {
        await assert.rejects(store.create(naming), RangeError);
      }
    });

    it("removes only files that are unfinished and old enough", async () => {
      const open = await place.open();
      await put(open(), 1n, 1_000);
      const sink = await open().create({ index: 2n, createdAt: new Date(2) });
      const writer = sink.getWriter();
      await writer.write(bytes(17_000_000, 1));
      assert.deepEqual(await open().sweep(), []);
      const removed = await open().sweep(0);
      assert.deepEqual(
        removed.map((name) => name.replace(/\.[0-9a-f]{8}\.tmp$/, "")),
        ["2-2.snap"],
      );
      await assert.rejects(writer.close());
      assert.equal((await open().list()).length, 1);
    });

    it("has one lease, which the next can take when it was given up", async () => {
      const open = await place.open();
      const first = await open().lease();
      await assert.rejects(open().lease(), {
        name: "StoreLockedError",
        code: "ERR_STORE_LOCKED",
        message: /held by process \d+/,
      });
      assert.equal(first.signal.aborted, false);
      await first.release();
      const second = await open().lease();
      await first.release();
      await assert.rejects(open().lease(), { name: "StoreLockedError" });
      await second[Symbol.asyncDispose]();
      await (await open().lease()).release();
      assert.deepEqual(await open().list(), []);
    });
  });
}
