/**
 * inspect() of a directory: unfinished snapshots, names of other programs, and
 * who has the lock.
 */

import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import {
  openFileSnapshotStore,
  StoreAccessError,
  type StoreInspection,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { nodeFileSystem } from "../../../src/fs/node/file_system.ts";
import { lockRecord, writeRecord } from "../../fs/lock/records.ts";
import { LockChild } from "../../fs/lock/children.ts";
import {
  Gate,
  INIT,
  Log,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../../support/store_fixture.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const HOUR = 3_600_000;

/** As Go leaves it: the disk in memory says that it was changed in 1970. */
const FOREIGN = "3-10-1.tmp";
/** As this library leaves it. */
const OURS = "3-10-2.tmp";

const logger = new Log();

/** The inspection by a reader without the lock. */
async function look(
  fixture: StoreFixture,
  nowMs = HOUR,
): Promise<StoreInspection> {
  const clock = () => nowMs;
  const reader = await fixture.open({ readOnly: true, clock });
  try {
    return await reader.inspect();
  } finally {
    await reader.close();
  }
}

/** The inspection of a directory on a disk. */
async function lookAt(directory: string): Promise<StoreInspection> {
  const options = { readOnly: true, logger };
  const reader = await openFileSnapshotStore(directory, options);
  try {
    return await reader.inspect();
  } finally {
    await reader.close();
  }
}

/** A directory with unfinished snapshots of each kind. */
function makeUnfinished(fixture = new StoreFixture()): StoreFixture {
  for (const name of [FOREIGN, OURS]) {
    fixture.write(name, "meta.json", "{}");
    fixture.write(name, "state.bin", "half");
  }
  fixture.write(OURS, "blocks.crc64", "");
  fixture.write("3-10-3.deleted.tmp", "state.bin", "rest");
  fixture.write("3-10-4.sealing.tmp", "blocks.crc64", "");
  return fixture;
}

const underWay = ({ unfinished }: StoreInspection) =>
  unfinished.map(({ name, mayBeUnderWay }) => [name, mayBeUnderWay]);

describe("inspect() of a directory", () => {
  it("reports the state, the size and the last change of each unfinished snapshot", async () => {
    const { unfinished, quarantined, foreign, place, lock } = await look(
      makeUnfinished(),
    );
    const left = {
      changedAt: new Date(0),
      isForeign: false,
      mayBeUnderWay: false,
    };
    assert.deepEqual(unfinished, [
      {
        ...left,
        id: "3-10-4",
        name: "3-10-4.sealing.tmp",
        state: "sealing",
        size: 0,
      },
      {
        ...left,
        id: "3-10-3",
        name: "3-10-3.deleted.tmp",
        state: "deleted",
        size: 4,
      },
      { ...left, id: "3-10-2", name: OURS, state: "writing", size: 6 },
      {
        ...left,
        id: "3-10-1",
        name: FOREIGN,
        state: "writing",
        size: 6,
        isForeign: true,
      },
    ]);
    assert.deepEqual([quarantined, foreign, lock], [[], [], undefined]);
    assert.equal(place, "/data");
  });

  it("reports another program's as under way while it is young, and this library's while another store has the lock", async () => {
    const fixture = makeUnfinished();
    const store = await fixture.open({ sweep: false });
    const [others, ours] = [[FOREIGN, true], [OURS, true]];
    assert.deepEqual(underWay(await look(fixture, HOUR - 1)), [
      ["3-10-4.sealing.tmp", true],
      ["3-10-3.deleted.tmp", true],
      ours,
      others,
    ]);
    assert.deepEqual(underWay(await look(fixture)).at(-1), [FOREIGN, false]);
    await store.close();
    assert.deepEqual(underWay(await look(fixture, HOUR - 1)), [
      ["3-10-4.sealing.tmp", false],
      ["3-10-3.deleted.tmp", false],
      [OURS, false],
      others,
    ]);
  });

  it("tells the store's own work from the remains of a crash, for the store that has the lock", async () => {
    const fixture = makeUnfinished();
    const clock = () => HOUR;
    const store = await fixture.open({ sweep: false, clock });
    const sink = await store.create(INIT);
    const left = [
      ["3-10-4.sealing.tmp", false],
      ["3-10-3.deleted.tmp", false],
      [OURS, false],
      [FOREIGN, false],
    ];
    assert.deepEqual(underWay(await store.inspect()), [
      [`${sink.id}.tmp`, true],
      ...left,
    ]);
    await sink.close();
    assert.deepEqual(underWay(await store.inspect()), left);
    await store.close();
  });

  it("reports a deletion of the same store as under way until it has ended", async () => {
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
    const name = `${id}.deleted.tmp`;
    assert.deepEqual(underWay(await store.inspect()), [[name, true]]);
    gate.open();
    await deleting;
    assert.deepEqual(underWay(await store.inspect()), []);
    await store.close();
  });

  it("reports a failed deletion as left behind", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    fixture.files.inject(failOn("removeDirectory", "EIO"));
    await store.delete(id);
    const left = [[`${id}.deleted.tmp`, false]];
    assert.deepEqual(underWay(await store.inspect()), left);
    await store.close();
  });

  it("reports a snapshot as left behind when its sink has failed and could not be removed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    fixture.files.inject(({ name, path }) =>
      name === "rename" && path.endsWith(sink.id + ".tmp") ||
        name === "removeDirectory"
        ? { code: "EIO" }
        : undefined
    );
    await assert.rejects(sink.close());
    const left = [[`${sink.id}.tmp`, false]];
    assert.deepEqual(underWay(await store.inspect()), left);
    await store.close();
  });

  it("reports names that are not this library's, and not those of its lock", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.disk.writeFile(`${SNAPSHOTS}/z\x1b[31m`, new Uint8Array());
    fixture.disk.writeFile(`${SNAPSHOTS}/3-10-1`, new Uint8Array());
    const found = await store.inspect();
    assert.deepEqual(found.foreign, ["3-10-1", "z\x1b[31m"]);
    assert.equal(found.foreignCount, 2);
    await store.close();
  });

  it("reports a corrupt snapshot in quarantine with its name", async () => {
    const fixture = new StoreFixture();
    fixture.write("3-10-1.corrupt.tmp", "state.bin", "bad");
    const { quarantined } = await look(fixture);
    const [id, name] = ["3-10-1", "3-10-1.corrupt.tmp"];
    assert.deepEqual(quarantined, [{ id, name }]);
  });

  it("says that a store has its own lock, and that a reader sees another's", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    assert.equal((await store.inspect()).lock?.holder, "own");
    const { lock } = await look(fixture);
    assert.deepEqual([lock?.holder, lock?.owner?.runtime], ["alive", "memory"]);
    await store.close();
    assert.equal((await look(fixture)).lock, undefined);
  });

  it("rejects when the process has no descriptors left, because the lock can't be read", async () => {
    const fixture = makeUnfinished();
    const store = await fixture.open({ sweep: false });
    fixture.files.inject(failOn("readLock", "EMFILE"));
    await assert.rejects(store.inspect(), StoreAccessError);
    fixture.files.inject(failOn("readDirectory", "EMFILE"));
    await assert.rejects(store.inspect(), StoreAccessError);
    await store.close();
  });

  it("changes nothing", async () => {
    const fixture = makeUnfinished();
    const before = fixture.disk.tree();
    const since = fixture.files.trace.length;
    await look(fixture);
    assert.deepEqual(fixture.disk.tree(), before);
    const calls = new Set(
      fixture.files.trace.slice(since).map(({ name }) => name),
    );
    assert.deepEqual([...calls].sort(), ["readDirectory", "readLock", "stat"]);
  });
});

describe("inspect() of a directory on a disk", () => {
  it("reports when a file was last changed", async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, "snapshots", "3-10-3.deleted.tmp");
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "state.bin"), "rest");
    const times = [join(path, "state.bin"), path].map(
      (name) => utimes(name, 1_700_000_000, 1_700_000_000),
    );
    await Promise.all(times);
    const { unfinished } = await lookAt(directory);
    const [{ changedAt, size } = {}] = unfinished;
    assert.equal(changedAt?.toISOString(), "2023-11-14T22:13:20.000Z");
    assert.equal(size, 4);
  });

  it("sees the store of another process, and that it has been killed", async (t) => {
    const directory = await temporaryDirectory(t);
    const path = nodeFileSystem.resolve(join(directory, "snapshots", ".lock"));
    await mkdir(join(directory, "snapshots"));
    const child = new LockChild(path);
    try {
      await child.takeLock();
      const { lock } = await lookAt(directory);
      assert.deepEqual([lock?.holder, lock?.hint], ["alive", undefined]);
      assert.equal(lock?.owner?.pid, child.pid);
      assert.equal(lock?.owner?.host, hostname());
    } finally {
      await child.kill();
    }
    // The kernel may take a moment to end the process.
    let holder = "alive";
    for (let look = 0; look < 1000 && holder !== "dead"; look++) {
      holder = (await lookAt(directory)).lock?.holder ?? "none";
    }
    assert.equal(holder, "dead");
    const names = await readdir(join(directory, "snapshots"));
    assert.ok(names.includes(".lock"), "the lock was not touched");
  });

  it("says what to do when the holder can't be seen from here", async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, "snapshots"));
    const path = join(directory, "snapshots", ".lock");
    const host = `not-${hostname()}`;
    const boot = crypto.randomUUID();
    await writeRecord(path, lockRecord({ host, boot, pid: process.pid }));
    const { lock } = await lookAt(directory);
    assert.deepEqual([lock?.holder, lock?.owner?.host], ["unknown", host]);
    assert.match(lock?.hint ?? "", /remove .*\.lock/);
  });

  it("reports a lock file that can't be understood as a lock", async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, "snapshots"));
    const path = join(directory, "snapshots", ".lock");
    await writeFile(path, "garbage");
    const { lock } = await lookAt(directory);
    assert.deepEqual([lock?.holder, lock?.owner], ["unknown", undefined]);
    assert.match(lock?.hint ?? "", /holds no lock record/);
  });
});
