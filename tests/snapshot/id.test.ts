/**
 * Snapshot IDs: they never repeat and never go backwards, and nothing else
 * becomes a path.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidSnapshotIdError, parseSnapshotId } from "@raft/snapshots";
import {
  compareNewestFirst,
  formatId,
  newestFirst,
  parseId,
  requireId,
} from "../../src/snapshot/id.ts";
import {
  parseTemporaryName,
  temporaryName,
} from "../../src/backends/file/names.ts";
import {
  INIT,
  listIds,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../support/store_fixture.ts";

const UINT64_MAX = 2n ** 64n - 1n;

function millisecondsOf(id: string): number {
  return Number(parseId(id)?.unixMs);
}

describe("parseSnapshotId()", () => {
  it("gives the term, the index and the time", () => {
    const parts = parseSnapshotId(`${UINT64_MAX}-10-1795361690419`);
    const createdAt = new Date("2026-11-22T15:34:50.419Z");
    assert.deepEqual(parts, { term: UINT64_MAX, index: 10n, createdAt });
  });

  it("gives a valid time up to the latest one that a Date can hold", () => {
    const latest = parseSnapshotId("3-10-8640000000000000").createdAt;
    assert.equal(latest.toISOString(), "+275760-09-13T00:00:00.000Z");
    assert.throws(
      () => parseSnapshotId("3-10-8640000000000001"),
      InvalidSnapshotIdError,
    );
  });

  it("rejects strings that are not IDs", () => {
    for (const id of ["", "3-10", "3-10-01", "my-cluster-7", "3-10-1.tmp", 7]) {
      const parse = () => parseSnapshotId(id as string);
      assert.throws(parse, { code: "ERR_SNAPSHOT_ID_INVALID" });
    }
  });
});

describe("parseId()", () => {
  it("reads decimal, unpadded, with the term first", () => {
    assert.deepEqual(parseId("3-10-1795361690419"), {
      term: 3n,
      index: 10n,
      unixMs: 1795361690419n,
    });
    for (const id of ["0-0-0", `${UINT64_MAX}-${UINT64_MAX}-1`]) {
      const parts = parseId(id);
      assert.ok(parts !== undefined);
      assert.equal(formatId(parts), id);
    }
  });

  it("refuses all other texts", () => {
    const others = [
      "",
      "3-10",
      "3-10-",
      "3-10-1-",
      "3-10-1-2",
      "-3-10-1",
      "03-10-1",
      "3-010-1",
      "3-10-01",
      "3-10-1 ",
      "3-10-1\n",
      "3 - 10 - 1",
      "3-10-1.5",
      "3-10-1e3",
      "0x3-10-1",
      "a-b-c",
      "３-10-1",
      `${UINT64_MAX + 1n}-1-1`,
      `1-${UINT64_MAX + 1n}-1`,
      "1-1-9000000000000000",
      "3-10-1.tmp",
      "3-10-1/../..",
    ];
    for (const text of others) {
      assert.equal(parseId(text), undefined, text);
      assert.throws(() => requireId(text), InvalidSnapshotIdError);
    }
  });
});

describe("requireId()", () => {
  it("rejects other values without running their code", () => {
    const hostile = { toString: () => "3-10-1" };
    for (const value of [undefined, null, 3, hostile, ["3-10-1"]]) {
      assert.throws(
        () => requireId(value as unknown as string),
        InvalidSnapshotIdError,
      );
    }
  });

  it("names the given value in few words", () => {
    assert.throws(() => requireId("x".repeat(10_000)), (error) => {
      assert.ok(error instanceof InvalidSnapshotIdError);
      assert.ok(error.message.length < 200);
      return true;
    });
  });
});

describe("compareNewestFirst() and newestFirst()", () => {
  it("compares numbers, not strings: term, then index, then time", () => {
    const sorted = [
      `${UINT64_MAX}-0-0`,
      "36-204917-1",
      "10-1-1",
      "9-10-10",
      "9-10-9",
      "9-9-100",
    ];
    const reversed = sorted.toReversed();
    assert.deepEqual(newestFirst(reversed), sorted);
    assert.deepEqual(reversed.sort(compareNewestFirst), sorted);
    assert.equal(compareNewestFirst("1-1-1", "1-1-1"), 0);
    assert.throws(() => compareNewestFirst("1-1-1", "x"), TypeError);
    assert.throws(() => newestFirst(["1-1-1", "x"]), TypeError);
  });
});

describe("temporary names", () => {
  it("contain the snapshot's ID and the reason why it is not published", () => {
    const states = ["writing", "deleted", "corrupt", "sealing"] as const;
    for (const state of states) {
      const name = temporaryName({ id: "3-10-1", state });
      assert.match(name, /^3-10-1(\.[a-z]+)?\.tmp$/);
      assert.deepEqual(parseTemporaryName(name), { id: "3-10-1", state });
    }
  });

  it("are not recognized in other names", () => {
    for (
      const name of ["3-10-1", "x.tmp", ".tmp", "3-10-1.lost.tmp", "3.tmp"]
    ) {
      assert.equal(parseTemporaryName(name), undefined, name);
    }
  });
});

describe("the IDs of new snapshots", () => {
  it("carry the clock's milliseconds", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1795361690419.7 });
    assert.equal(await save(store, ""), "3-10-1795361690419");
    await store.close();
  });

  it("never repeat within a millisecond, one after the other", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1000, retain: 10 });
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(await save(store, ""));
    assert.deepEqual(ids.map(millisecondsOf), [1000, 1001, 1002, 1003, 1004]);
    assert.deepEqual(await listIds(store), ids.toReversed());
    await store.close();
  });

  it("never repeat within a millisecond, side by side", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1000, retain: 50 });
    const sinks = await Promise.all(
      Array.from({ length: 20 }, () => store.create(INIT)),
    );
    assert.equal(new Set(sinks.map(({ id }) => id)).size, 20);
    await Promise.all(sinks.map((sink) => sink.close()));
    assert.equal((await store.list()).length, 20);
    await store.close();
  });

  it("never repeat after a cancel", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1000 });
    const cancelled = await store.create(INIT);
    await cancelled.cancel();
    const next = await store.create(INIT);
    assert.notEqual(next.id, cancelled.id);
    await next.cancel();
    await store.close();
  });

  it("never go backwards when the clock does", async () => {
    const fixture = new StoreFixture();
    let now = 5000;
    const store = await fixture.open({ clock: () => now, retain: 10 });
    const first = await save(store, "");
    now = 1;
    const second = await save(store, "");
    now = -1;
    const third = await save(store, "");
    assert.deepEqual(await listIds(store), [third, second, first]);
    await store.close();
  });

  it("never go backwards when the clock did while no process ran", async () => {
    const fixture = new StoreFixture();
    const before = await fixture.open({ clock: () => 5000 });
    const first = await save(before, "");
    await before.close();
    const after = await fixture.open({ clock: () => 1 });
    const second = await save(after, "");
    assert.deepEqual(await listIds(after), [second, first]);
    await after.close();
  });

  it("come after those that are quarantined or being written", async () => {
    const fixture = new StoreFixture();
    fixture.write("3-10-7000.corrupt.tmp", "meta.json", "{}");
    const store = await fixture.open({ clock: () => 1 });
    assert.equal(await save(store, ""), "3-10-7001");
    await store.close();
  });

  it("skip a name that is taken by anything", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1000 });
    fixture.disk.writeFile(`${SNAPSHOTS}/3-10-1000`, new Uint8Array());
    fixture.disk.writeFile(`${SNAPSHOTS}/3-10-1001.tmp`, new Uint8Array());
    assert.equal(await save(store, ""), "3-10-1002");
    await store.close();
  });

  it("do not stop at an ID of the latest possible time", async () => {
    const fixture = new StoreFixture();
    fixture.write("3-10-8639999999999999", "meta.json", "{}");
    const store = await fixture.open({ clock: () => 1000, retain: 9 });
    assert.equal(await save(store, ""), "3-10-8640000000000000");
    await assert.rejects(store.create(INIT), RangeError);
    for (const index of [11n, 12n]) await save(store, "", { index });
    assert.equal((await store.list()).length, 3);
    await store.close();
  });

  it("need a clock that gives a valid time", async () => {
    const fixture = new StoreFixture();
    for (const time of [NaN, Infinity, 2 ** 60]) {
      const store = await fixture.open({ clock: () => time });
      await assert.rejects(store.create(INIT), RangeError);
      assert.deepEqual(fixture.names(), []);
      await store.close();
    }
  });
});
