/**
 * The events that only a store in a directory reports; the lock's event is in
 * lock.test.ts.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  FileSnapshotStoreOptions,
  SnapshotStore,
  StoreEvent,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  BASE,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../../support/store_fixture.ts";

/** Opens the store; its events are kept. */
async function watch(
  fixture: StoreFixture,
  options: FileSnapshotStoreOptions = {},
): Promise<{ store: SnapshotStore; events: StoreEvent[] }> {
  const events: StoreEvent[] = [];
  const onEvent = (event: StoreEvent) => void events.push(event);
  return { store: await fixture.open({ onEvent, ...options }), events };
}

const failures = (events: readonly StoreEvent[]) =>
  events.filter((event) => event.type === "failed");

describe("the events of a store in a directory", () => {
  it("report the files that opening has removed and those that it left alone", async () => {
    const fixture = new StoreFixture();
    for (const name of ["3-10-1.tmp", "3-10-2.deleted.tmp"]) {
      fixture.write(name, "state.bin", "half");
    }
    const options = { clock: () => 0, foreignTmpAgeMs: 60_000 };
    const { store, events } = await watch(fixture, options);
    assert.deepEqual(events, [
      {
        type: "cleanedUp",
        id: "3-10-2",
        name: "3-10-2.deleted.tmp",
        state: "deleted",
        place: BASE,
      },
      {
        type: "leftAlone",
        id: "3-10-1",
        name: "3-10-1.tmp",
        changedWithinMs: 60_000,
        place: BASE,
      },
    ]);
    await store.close();
  });

  it("report each file that opening could not remove once, with its path", async () => {
    const fixture = new StoreFixture();
    fixture.write("3-10-1.deleted.tmp", "state.bin", "half");
    fixture.files.inject(failOn("removeFile", "EACCES", { path: /3-10-1/ }));
    const { store, events } = await watch(fixture);
    await store.reap();
    const [event] = failures(events);
    assert.equal(events.length, 1);
    assert.equal(event?.operation, "remove");
    assert.equal(event.id, "3-10-1");
    assert.equal(event.name, `${SNAPSHOTS}/3-10-1.deleted.tmp`);
    assert.equal(fixture.log.lines.length, 1);
    assert.match(
      fixture.log.lines[0] ?? "",
      /^warn: Cannot remove \/data\/.*; later reaps and openings try again$/,
    );
    await store.close();
  });

  it("report the files that a sweep could not rename", async () => {
    const fixture = new StoreFixture();
    fixture.write("3-10-1.tmp", "state.bin", "half");
    fixture.files.inject(failOn("rename", "EACCES"));
    const { store, events } = await watch(fixture, { foreignTmpAgeMs: 0 });
    const [event] = failures(events);
    assert.deepEqual([events.length, event?.operation], [1, "sweep"]);
    assert.equal(event?.id, "3-10-1");
    assert.equal(event?.name, `${SNAPSHOTS}/3-10-1.tmp`);
    await store.close();
  });

  it("report once that directories can't be synced", async () => {
    const fixture = new StoreFixture();
    fixture.files.inject(failOn("syncDirectory", "EINVAL"));
    const { store, events } = await watch(fixture);
    await save(store, "state");
    const told = events.filter(({ type }) => type === "directoryNotSynced");
    assert.equal(told.length, 1);
    assert.equal(fixture.log.matching("warn", "EINVAL").length, 1);
    await store.close();
  });

  it("report once each snapshot that a close could not reap", async () => {
    const fixture = new StoreFixture();
    const [old = ""] = await fixture.prepare([1]);
    const { store, events } = await watch(fixture, { retain: 1 });
    fixture.files.inject(
      failOn("rename", "EIO", { path: new RegExp(`${old}$`) }),
    );
    const id = await save(store, "new", { index: 2 });
    await until(() => failures(events).length > 0, "the failure is told");
    await store.list();
    assert.deepEqual(
      events.map((event) => [event.type, "id" in event && event.id]),
      [["created", id], ["published", false], ["failed", old]],
    );
    const [event] = failures(events);
    assert.equal(event?.operation, "reap");
    assert.equal(fixture.log.matching("warn", "Cannot reap").length, 1);
    await store.close();
  });

  it("report a reap after a close that could not read the directory", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1, 2]);
    const { store, events } = await watch(fixture, { retain: 1 });
    const sink = await store.create({
      index: 3n,
      term: 3n,
      configuration: { servers: [] },
      configurationIndex: 1n,
    });
    fixture.files.inject(failOn("readDirectory", "EIO"));
    await sink.close();
    await until(() => failures(events).length > 0, "the failure is told");
    const [event] = failures(events);
    assert.deepEqual([event?.operation, event?.id], ["reap", undefined]);
    assert.equal(fixture.log.matching("error", "Cannot reap").length, 1);
    fixture.files.inject();
    await store.close();
  });

  it("report a corrupt snapshot that could not be quarantined", async () => {
    const fixture = new StoreFixture();
    const [, bad = ""] = await fixture.prepare([1, 2]);
    fixture.corrupt(bad);
    const { store, events } = await watch(fixture);
    fixture.files.inject(failOn("rename", "EBUSY"));
    await store.restore((source) => new Response(source).text());
    const [event] = failures(events);
    assert.deepEqual([event?.operation, event?.id], ["quarantine", bad]);
    await store.close();
  });

  it("report each further try when the process has run out of descriptors", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1]);
    const { store, events } = await watch(fixture);
    const path = /state\.bin$/;
    fixture.files.inject(failOn("open", "EMFILE", { path, times: 2 }));
    await store.restore((source) => new Response(source).text());
    assert.deepEqual(
      events.map(({ type }) => type),
      ["retrying", "retrying", "restored"],
    );
    await store.close();
  });

  it("report files of a cancelled snapshot that could not be closed", async () => {
    const fixture = new StoreFixture();
    const { store, events } = await watch(fixture);
    const sink = await store.create({
      index: 3n,
      term: 3n,
      configuration: { servers: [] },
      configurationIndex: 1n,
    });
    fixture.files.inject(failOn("close", "EIO", { path: /state\.bin$/ }));
    await sink.cancel();
    const [event] = failures(events);
    assert.deepEqual([event?.operation, event?.id], ["discard", sink.id]);
    await store.close();
  });

  it("need the option onEvent to be a function, before the directory is touched", async () => {
    const fixture = new StoreFixture();
    await assert.rejects(
      fixture.open({ onEvent: "log" as never }),
      TypeError,
    );
    assert.deepEqual(fixture.trace(), []);
  });
});
