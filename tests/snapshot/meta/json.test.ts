/** Metadata on its way out of the process: as JSON, as a clone, on a screen. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import {
  copySnapshot,
  MemorySnapshotStore,
  type SnapshotMeta,
} from "@raft/snapshots";
import {
  exportArchive,
  importArchive,
  readArchive,
} from "@raft/snapshots/archive";
import { encode, INIT, StoreFixture } from "../../support/store_fixture.ts";

const MAX = 2n ** 64n - 1n;
const TIME = Date.UTC(2026, 0, 2);
const LARGE = {
  ...INIT,
  index: MAX,
  term: 9007199254740993n,
  configurationIndex: 2n ** 53n + 3n,
};

/** The JSON of a snapshot of that. */
const JSON_OF_LARGE = {
  id: `9007199254740993-${MAX}-${TIME}`,
  term: "9007199254740993",
  index: "18446744073709551615",
  size: 9,
  version: 1,
  configuration: INIT.configuration,
  configurationIndex: "9007199254740995",
  peers: "kalvdmVyIGhlcmU=",
  createdAt: "2026-01-02T00:00:00.000Z",
  crc: "995dc9bbdf1939fa",
};

const STATE = encode("123456789");
const parsed = (value: unknown) => JSON.parse(JSON.stringify(value));
const clock = () => TIME;

describe("JSON.stringify() of metadata", () => {
  it("has uint64 and CRC as strings, without loss", async () => {
    const store = new MemorySnapshotStore({ clock });
    assert.deepEqual(parsed(await store.save(LARGE, STATE)), JSON_OF_LARGE);
    const { index, crc } = parsed(await store.stat(JSON_OF_LARGE.id));
    assert.deepEqual([BigInt(index), BigInt(`0x${crc}`)], [
      MAX,
      0x995dc9bbdf1939fan,
    ]);
  });

  it("works on all that a store gives", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock });
    const sink = await store.create(LARGE);
    assert.equal(parsed(sink.meta).size, 0);
    await new Blob([STATE]).stream().pipeTo(sink);
    const { id } = sink;
    const source = await store.open(id);
    await source.cancel();
    const report = parsed(await store.verify(id));
    const [entry] = parsed(await store.list({ unusable: true }));
    const [listed] = await store.list();
    assert.deepEqual([report.meta, entry.meta], [JSON_OF_LARGE, JSON_OF_LARGE]);
    const metas: (SnapshotMeta | undefined)[] = [
      sink.meta,
      await sink.published,
      source.meta,
      listed,
      await store.stat(id),
      await store.seal(id),
    ];
    for (const meta of metas) assert.deepEqual(parsed(meta), JSON_OF_LARGE);
    await store.close();
  });

  it("works on the metadata of copies and archives", async () => {
    const store = new MemorySnapshotStore({ clock });
    const { id } = await store.save(LARGE, STATE);
    const target = new MemorySnapshotStore({ clock });
    const copied = await copySnapshot(store, id, target);
    const takenAt = JSON_OF_LARGE.createdAt;
    const ofCopy = { ...JSON_OF_LARGE, takenAt };
    assert.deepEqual(parsed(copied), ofCopy);
    const source = await readArchive(exportArchive(store, id));
    await source.cancel();
    const { crc: _, ...withoutCrc } = ofCopy;
    assert.deepEqual(parsed(source.meta), withoutCrc);
    const other = new MemorySnapshotStore({ clock });
    const imported = await importArchive(other, exportArchive(store, id));
    assert.deepEqual(parsed(imported), ofCopy);
  });

  it("works on the report of a corrupt snapshot, whose errors have CRCs", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const { id } = await store.save(LARGE, STATE);
    fixture.corrupt(id);
    const { ok, errors: [error], meta } = parsed(await store.verify(id));
    assert.deepEqual([ok, meta.id], [false, id]);
    assert.equal(error.code, "ERR_SNAPSHOT_CORRUPT");
    assert.equal(error.expected, "995dc9bbdf1939fa");
    assert.match(error.actual, /^[0-9a-f]{16}$/);
    await store.close();
  });
});

describe("metadata", () => {
  it("is equal to other metadata of the same snapshot", async () => {
    const store = new MemorySnapshotStore();
    const saved = await store.save(INIT, STATE);
    assert.deepEqual(await store.stat(saved.id), saved);
    const other = await store.save(INIT, STATE);
    assert.notDeepEqual(await store.stat(other.id), saved);
  });

  it("keeps all of its fields in a structured clone", async () => {
    const store = new MemorySnapshotStore({ clock });
    const meta = await store.save(INIT, STATE);
    const clone = structuredClone(meta);
    assert.deepEqual({ ...clone }, { ...meta });
    assert.equal(clone.createdAt.getTime(), TIME);
  });

  it("is shown by console.log() with its name and its fields", async () => {
    const store = new MemorySnapshotStore({ clock });
    const shown = inspect(await store.save(INIT, STATE));
    assert.match(shown, /^SnapshotMeta \{/);
    assert.match(shown, /index: 10n/);
    assert.match(shown, /createdAt: 2026-01-02T00:00:00\.000Z/);
    assert.doesNotMatch(shown, /toJSON/);
  });
});
