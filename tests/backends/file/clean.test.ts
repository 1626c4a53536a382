/**
 * clean() of a directory: which entries it removes, and which it leaves.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CleanReport } from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  Gate,
  INIT,
  load,
  save,
  StoreFixture,
  until,
} from "../../support/store_fixture.ts";

const HOUR = 3_600_000;

/** As Go leaves it: the disk in memory says that it was changed in 1970. */
const FOREIGN = "3-10-1.tmp";
/** As this library leaves it. */
const OURS = "3-10-2.tmp";
const DELETED = "3-10-3.deleted.tmp";
const QUARANTINED = "3-10-4.corrupt.tmp";

function makeUnfinished(): StoreFixture {
  const fixture = new StoreFixture();
  for (const name of [FOREIGN, OURS, DELETED, QUARANTINED]) {
    fixture.write(name, "state.bin", "half");
  }
  fixture.write(OURS, "blocks.crc64", "");
  return fixture;
}

/** Opens the store, which removes nothing. */
const open = (fixture: StoreFixture, nowMs: number) =>
  fixture.open({ sweep: false, clock: () => nowMs });

const namesOf = ({ removed, left, failed }: CleanReport) =>
  [removed, left, failed].map((some) => some.map(({ name }) => name));

describe("clean() of a directory", () => {
  it("removes the remains of a crash, and no snapshot that is published, in quarantine or being written", async () => {
    const fixture = makeUnfinished();
    const store = await open(fixture, HOUR);
    const id = await save(store, "state");
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(new Uint8Array(10));
    const report = await store.clean();
    assert.deepEqual(namesOf(report), [
      [DELETED, OURS, FOREIGN],
      [`${sink.id}.tmp`],
      [],
    ]);
    assert.deepEqual(
      fixture.names().sort(),
      [QUARANTINED, id, `${sink.id}.tmp`].sort(),
    );
    await writer.close();
    assert.equal((await load(store, sink.id)).length, 10);
    assert.equal(await load(store, id), "state");
    await store.close();
  });

  it("leaves another program's as long as it is younger than olderThanMs", async () => {
    const fixture = makeUnfinished();
    const store = await open(fixture, 5000);
    const [removed, left] = [[DELETED, OURS], [FOREIGN]];
    assert.deepEqual(namesOf(await store.clean()), [removed, left, []]);
    const young = await store.clean({ olderThanMs: 5001 });
    assert.deepEqual(namesOf(young), [[], [FOREIGN], []]);
    const old = await store.clean({ olderThanMs: 5000 });
    assert.deepEqual(namesOf(old), [[FOREIGN], [], []]);
    assert.deepEqual(fixture.names(), [QUARANTINED]);
    await store.close();
  });

  it("reports entries that could not be removed, and removes the rest", async () => {
    const fixture = makeUnfinished();
    const store = await open(fixture, HOUR);
    const path = /3-10-3\.deleted\.tmp$/;
    fixture.files.inject(failOn("removeDirectory", "EIO", { path }));
    const report = await store.clean();
    assert.deepEqual(namesOf(report), [[OURS, FOREIGN], [], [DELETED]]);
    assert.match(fixture.log.matching("warn").join(), /EIO/);
    fixture.files.inject();
    assert.deepEqual(namesOf(await store.clean()), [[DELETED], [], []]);
    await store.close();
  });

  it("leaves a deletion that is under way", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    const gate = new Gate();
    let isWaiting = false;
    fixture.files.inject(({ name, path }) => {
      if (name !== "removeFile" || !path.includes(".deleted.tmp")) return;
      isWaiting = true;
      return { wait: gate.opened };
    });
    const deleting = store.delete(id);
    await until(() => isWaiting, "the removal of a file");
    const left = [[], [`${id}.deleted.tmp`], []];
    assert.deepEqual(namesOf(await store.clean()), left);
    gate.open();
    await deleting;
    await store.close();
  });
});
