/**
 * Which files opening a store removes, and which it leaves to a program that
 * takes no lock.
 */

import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  type FileSnapshotStoreOptions,
  openFileSnapshotStore,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import {
  INIT,
  Log,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

const HOUR = 3_600_000;

/** As Go leaves it: the disk in memory says that it was changed in 1970. */
const FOREIGN = "3-10-1.tmp";
/** As this library leaves it. */
const OURS = "3-10-2.tmp";

/** A clock that stands still. */
const at = (ms: number) => ({ clock: () => ms });

function benchWith(...names: readonly string[]): StoreFixture {
  const fixture = new StoreFixture();
  for (const name of names) {
    fixture.write(name, "meta.json", "{}");
    fixture.write(name, "state.bin", "half");
    if (name === OURS) fixture.write(name, "blocks.crc64", "");
  }
  return fixture;
}

async function openAndClose(
  fixture: StoreFixture,
  options: FileSnapshotStoreOptions,
): Promise<void> {
  await (await fixture.open(options)).close();
}

describe("opening a store beside a program that takes no lock", () => {
  it("leaves a foreign .tmp alone for an hour, and reports it once", async () => {
    const fixture = benchWith(FOREIGN);
    const store = await fixture.open(at(HOUR - 1));
    assert.deepEqual(fixture.names(), [FOREIGN]);
    assert.deepEqual(fixture.log.matching("info"), [
      `info: Left ${FOREIGN} alone: it was changed less than 3600 s ago, ` +
      "so another program may be writing it",
    ]);
    assert.deepEqual(fixture.log.matching("warn"), []);
    await store.reap();
    assert.deepEqual(fixture.names(), [FOREIGN]);
    await store.close();
    await openAndClose(fixture, at(HOUR));
    assert.deepEqual(fixture.names(), []);
  });

  it("gives no snapshot the ID of a .tmp that it leaves alone", async () => {
    const fixture = benchWith("3-10-7000.tmp");
    const store = await fixture.open(at(5000));
    const sink = await store.create(INIT);
    assert.equal(sink.id, "3-10-7001");
    await sink.cancel();
    await store.close();
  });

  it("removes its own at once, because the lock proves that no process writes it", async () => {
    const fixture = benchWith(OURS);
    await openAndClose(fixture, at(0));
    assert.deepEqual(fixture.names(), []);
    assert.match(fixture.log.matching("info").join(), /^info: Removed 3-10-2/);
  });

  it("removes at once the rest of a cancelled snapshot whose process was killed meanwhile", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const killed: StoreFixture[] = [];
    fixture.files.inject(() => {
      const choice = { seed: 1, keptPercent: 100, renames: "atomic" } as const;
      killed.push(new StoreFixture(fixture.disk.crashImage(choice)));
      return undefined;
    });
    await sink.cancel();
    assert.ok(killed.length > 4, "nothing was removed");
    for (const each of killed) {
      await openAndClose(each, at(0));
      assert.deepEqual(each.names(), []);
    }
    await store.close();
  });

  it("leaves a foreign .tmp alone that is newer than the clock, or whose age is unknown", async () => {
    for (const now of [-1, -2 * HOUR, NaN]) {
      const fixture = benchWith(FOREIGN);
      await openAndClose(fixture, { ...at(now), foreignTmpAgeMs: 0 });
      assert.deepEqual(fixture.names(), [FOREIGN], `at ${now}`);
    }
  });

  it("leaves a foreign .tmp alone for as long as foreignTmpAgeMs says", async () => {
    const fixture = benchWith(FOREIGN);
    await openAndClose(fixture, { ...at(HOUR), foreignTmpAgeMs: HOUR + 1 });
    assert.deepEqual(fixture.names(), [FOREIGN]);
    await openAndClose(fixture, { ...at(0), foreignTmpAgeMs: 0 });
    assert.deepEqual(fixture.names(), []);
  });

  it("takes the age of the youngest of a directory and the files in it", async (t) => {
    const base = await temporaryDirectory(t);
    const directory = join(base, "snapshots", FOREIGN);
    const file = join(directory, "state.bin");
    await mkdir(directory, { recursive: true });
    await writeFile(file, "half");
    const options = { logger: new Log(), ...at(10 * HOUR) };
    const ages = [[9.5, 1], [1, 9.5]] as const;
    for (const [ofDirectory, ofFile] of ages) {
      await utimes(file, ofFile * 3600, ofFile * 3600);
      await utimes(directory, ofDirectory * 3600, ofDirectory * 3600);
      await (await openFileSnapshotStore(base, options)).close();
      assert.deepEqual(await readdir(directory), ["state.bin"]);
    }
    await utimes(file, 9 * 3600, 9 * 3600);
    await utimes(directory, 3600, 3600);
    await (await openFileSnapshotStore(base, options)).close();
    assert.deepEqual(await readdir(join(base, "snapshots")), []);
  });

  it("renames a .tmp before it removes any file, so that its writer can't publish the rest", async () => {
    for (const name of [FOREIGN, OURS]) {
      const fixture = benchWith(name);
      await openAndClose(fixture, {});
      const renamed = name.replace(".tmp", ".deleted.tmp");
      const steps = fixture.trace().filter((step) =>
        /^(rename|removeFile) .*3-10-/.test(step)
      );
      assert.equal(steps[0], `rename ${name} ${renamed}`);
      assert.match(steps[1] ?? "", /^removeFile 3-10-\d\.deleted\.tmp\//);
    }
  });

  it("removes nothing of a snapshot that its writer publishes meanwhile", async () => {
    const fixture = benchWith(FOREIGN);
    fixture.files.inject(({ name, path }) =>
      name === "rename" && path.endsWith(FOREIGN)
        ? { wait: fixture.disk.rename(path, `${SNAPSHOTS}/3-10-1`) }
        : undefined
    );
    await openAndClose(fixture, {});
    assert.deepEqual(fixture.disk.tree().filter((it) => it.includes("3-10")), [
      `${SNAPSHOTS}/3-10-1/`,
      `${SNAPSHOTS}/3-10-1/meta.json`,
      `${SNAPSHOTS}/3-10-1/state.bin`,
    ]);
    assert.deepEqual(fixture.log.lines, []);
  });

  it("removes directories that can't be renamed because they are in the lower layer of an overlayfs", async () => {
    const fixture = benchWith(FOREIGN);
    fixture.files.inject(failOn("rename", "EXDEV", { path: /3-10-1/ }));
    await openAndClose(fixture, {});
    assert.deepEqual(fixture.names(), []);
  });

  it("succeeds, and removes nothing, when a .tmp can't be renamed", async () => {
    const fixture = benchWith(FOREIGN);
    fixture.files.inject(failOn("rename", "EACCES", { path: /3-10-1/ }));
    await openAndClose(fixture, {});
    assert.equal(fixture.read(FOREIGN, "state.bin").length, 4);
    assert.equal(fixture.log.matching("warn", FOREIGN).length, 1);
  });

  it("removes the rest of an earlier deletion first, because it has the name that is needed", async () => {
    const fixture = benchWith(FOREIGN, "3-10-1.deleted.tmp");
    await openAndClose(fixture, {});
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.log.matching("info", "Removed").length, 2);
    assert.deepEqual(fixture.log.matching("warn"), []);
  });

  it("never claims that a crash has left a file", async () => {
    const names = [FOREIGN, OURS, "3-10-3.deleted.tmp", "3-10-4.sealing.tmp"];
    const fixture = benchWith(...names);
    await openAndClose(fixture, {});
    assert.equal(fixture.log.matching("info", "Removed").length, names.length);
    assert.doesNotMatch(fixture.log.lines.join("\n"), /crash/);
  });

  it("removes nothing when the option sweep is false", async () => {
    const names = [FOREIGN, OURS, "3-10-3.deleted.tmp", "3-10-4.sealing.tmp"];
    const fixture = benchWith(...names);
    await openAndClose(fixture, { sweep: false, foreignTmpAgeMs: 0 });
    assert.deepEqual(fixture.names(), [...names].sort());
    assert.deepEqual(fixture.log.lines, []);
  });
});
