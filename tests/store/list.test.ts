/**
 * list({ unusable: true }): every snapshot, also those that list() passes over.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ListEntry,
  SnapshotCorruptError,
  type SnapshotSource,
  SnapshotUnreadableError,
  StoreAccessError,
  StoreClosedError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { save } from "../support/store_fixture.ts";
import { ChangedBackend } from "./changed_backend.ts";
import { onEachPlace, prepare } from "./places.ts";

const readAll = (source: SnapshotSource) => new Response(source).arrayBuffer();

/** An entry without its metadata or its error's fields. */
function outline(entry: ListEntry): unknown[] {
  const { id, state } = entry;
  return "error" in entry ? [id, state, entry.error.constructor] : [id, state];
}

onEachPlace("list({ unusable: true })", (makePlace) => {
  it("lists snapshots of each state, newest first, and reports none", async () => {
    const place = makePlace();
    const [good, cut, newer, bad] = await prepare(place, [10, 20, 30, 40]);
    assert.ok(good && cut && newer && bad);
    await place.corrupt(bad);
    const restoring = await place.open();
    await restoring.restore(readAll);
    await restoring.close();
    place.write(cut, "state.bin", "short");
    place.write(newer, "meta.json", `{"Version":9,"ID":"${newer}"}`);
    await place.unseal(newer);
    place.log.lines.length = 0;
    const store = await place.open();
    const entries = await store.list({ unusable: true });
    assert.deepEqual(entries.map(outline), [
      [bad, "quarantined"],
      [newer, "unsupported", UnsupportedSnapshotVersionError],
      [cut, "corrupt", SnapshotCorruptError],
      [good, "usable"],
    ]);
    const [meta] = await store.list({ unusable: false });
    assert.deepEqual(entries.at(-1), { id: good, state: "usable", meta });
    assert.equal(place.log.matching("warn").length, 2, "of the plain list");
    await store.close();
  });

  it("rejects once the store has been closed", async () => {
    const store = await makePlace().open();
    await store.close();
    await assert.rejects(store.list({ unusable: true }), StoreClosedError);
  });
});

describe("list({ unusable: true }) of a place with faults", () => {
  it("lists a snapshot that can't be read", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const id = await save(store, "state");
    backend.change("readMeta", () => {
      throw new SnapshotUnreadableError("EIO");
    });
    const entries = await store.list({ unusable: true });
    assert.deepEqual(entries.map(outline), [
      [id, "unreadable", SnapshotUnreadableError],
    ]);
    await store.close();
  });

  it("leaves out a snapshot that is removed while it is listed", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const kept = await save(store, "kept");
    const removed = await save(store, "removed");
    let isRemoved = false;
    backend.change("readMeta", async (asUsual) => {
      if (!isRemoved) {
        isRemoved = true;
        await store.delete(removed);
      }
      return await asUsual();
    });
    const entries = await store.list({ unusable: true });
    assert.deepEqual(entries.map(outline), [[kept, "usable"]]);
    await store.close();
  });

  it("rejects when the place is at fault", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    await save(store, "state");
    backend.change("readMeta", () => {
      throw Object.assign(new Error("too many"), { code: "EMFILE" });
    });
    await assert.rejects(store.list({ unusable: true }), StoreAccessError);
    await store.close();
  });
});
