/**
 * What opening a store removes, and what it leaves to a program that knows no
 * lock.
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
import { Bench, INIT, Log, SNAPSHOTS } from "../../support/store_fixture.ts";

const HOUR = 3_600_000;

/** As Go leaves it: the disk in memory says that it was changed in 1970. */
const FOREIGN = "3-10-1.tmp";
/** As this library leaves it. */
const OURS = "3-10-2.tmp";

/** A clock that stands still. */
const at = (ms: number) => ({ clock: () => ms });

function benchWith(...names: readonly string[]): Bench {
  const bench = new Bench();
  for (const name of names) {
    bench.write(name, "meta.json", "{}");
    bench.write(name, "state.bin", "half");
    if (name === OURS) bench.write(name, "blocks.crc64", "");
  }
  return bench;
}

async function openAndClose(
  bench: Bench,
  options: FileSnapshotStoreOptions,
): Promise<void> {
  await (await bench.open(options)).close();
}

describe("opening a store beside a program that knows no lock", () => {
  it("leaves a foreign .tmp alone for an hour, and says so once", async () => {
    const bench = benchWith(FOREIGN);
    const store = await bench.open(at(HOUR - 1));
    assert.deepEqual(bench.names(), [FOREIGN]);
    assert.deepEqual(bench.log.matching("info"), [
      `info: Left ${FOREIGN} alone: it was changed less than 3600 s ago, ` +
      "so another program may be writing it",
    ]);
    assert.deepEqual(bench.log.matching("warn"), []);
    await store.reap();
    assert.deepEqual(bench.names(), [FOREIGN]);
    await store.close();
    await openAndClose(bench, at(HOUR));
    assert.deepEqual(bench.names(), []);
  });

  it("gives no snapshot the ID of a .tmp that it leaves alone", async () => {
    const bench = benchWith("3-10-7000.tmp");
    const store = await bench.open(at(5000));
    const sink = await store.create(INIT);
    assert.equal(sink.id, "3-10-7001");
    await sink.cancel();
    await store.close();
  });

  it("removes its own at once, because the lock proves that no process writes it", async () => {
    const bench = benchWith(OURS);
    await openAndClose(bench, at(0));
    assert.deepEqual(bench.names(), []);
    assert.match(bench.log.matching("info").join(), /^info: Removed 3-10-2/);
  });

  it("removes at once what is left of a cancelled snapshot when its process was killed meanwhile", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const sink = await store.create(INIT);
    const killed: Bench[] = [];
    bench.files.inject(() => {
      const choice = { seed: 1, keptPercent: 100, renames: "atomic" } as const;
      killed.push(new Bench(bench.disk.crashImage(choice)));
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
      const bench = benchWith(FOREIGN);
      await openAndClose(bench, { ...at(now), foreignTmpAgeMs: 0 });
      assert.deepEqual(bench.names(), [FOREIGN], `at ${now}`);
    }
  });

  it("leaves a foreign .tmp alone for as long as foreignTmpAgeMs says", async () => {
    const bench = benchWith(FOREIGN);
    await openAndClose(bench, { ...at(HOUR), foreignTmpAgeMs: HOUR + 1 });
    assert.deepEqual(bench.names(), [FOREIGN]);
    await openAndClose(bench, { ...at(0), foreignTmpAgeMs: 0 });
    assert.deepEqual(bench.names(), []);
  });

  it("takes the youngest of the directory and the files in it", async (t) => {
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

  it("takes the name away before any file, so that the writer can't publish what is left", async () => {
    for (const name of [FOREIGN, OURS]) {
      const bench = benchWith(name);
      await openAndClose(bench, {});
      const renamed = name.replace(".tmp", ".deleted.tmp");
      const steps = bench.trace().filter((step) =>
        /^(rename|removeFile) .*3-10-/.test(step)
      );
      assert.equal(steps[0], `rename ${name} ${renamed}`);
      assert.match(steps[1] ?? "", /^removeFile 3-10-\d\.deleted\.tmp\//);
    }
  });

  it("leaves a snapshot whole that its writer publishes meanwhile", async () => {
    const bench = benchWith(FOREIGN);
    bench.files.inject(({ name, path }) =>
      name === "rename" && path.endsWith(FOREIGN)
        ? { wait: bench.disk.rename(path, `${SNAPSHOTS}/3-10-1`) }
        : undefined
    );
    await openAndClose(bench, {});
    assert.deepEqual(bench.disk.tree().filter((it) => it.includes("3-10")), [
      `${SNAPSHOTS}/3-10-1/`,
      `${SNAPSHOTS}/3-10-1/meta.json`,
      `${SNAPSHOTS}/3-10-1/state.bin`,
    ]);
    assert.deepEqual(bench.log.lines, []);
  });

  it("removes what can't be renamed because it is in the lower layer of an overlayfs", async () => {
    const bench = benchWith(FOREIGN);
    bench.files.inject(failOn("rename", "EXDEV", { path: /3-10-1/ }));
    await openAndClose(bench, {});
    assert.deepEqual(bench.names(), []);
  });

  it("succeeds, and removes nothing, when a name can't be taken away", async () => {
    const bench = benchWith(FOREIGN);
    bench.files.inject(failOn("rename", "EACCES", { path: /3-10-1/ }));
    await openAndClose(bench, {});
    assert.equal(bench.read(FOREIGN, "state.bin").length, 4);
    assert.equal(bench.log.matching("warn", FOREIGN).length, 1);
  });

  it("removes the rest of an earlier deletion first, which has the name that is needed", async () => {
    const bench = benchWith(FOREIGN, "3-10-1.deleted.tmp");
    await openAndClose(bench, {});
    assert.deepEqual(bench.names(), []);
    assert.equal(bench.log.matching("info", "Removed").length, 2);
    assert.deepEqual(bench.log.matching("warn"), []);
  });

  it("says of nothing that a crash has left it", async () => {
    const names = [FOREIGN, OURS, "3-10-3.deleted.tmp", "3-10-4.sealing.tmp"];
    const bench = benchWith(...names);
    await openAndClose(bench, {});
    assert.equal(bench.log.matching("info", "Removed").length, names.length);
    assert.doesNotMatch(bench.log.lines.join("\n"), /crash/);
  });

  it("removes nothing when the option sweep is false", async () => {
    const names = [FOREIGN, OURS, "3-10-3.deleted.tmp", "3-10-4.sealing.tmp"];
    const bench = benchWith(...names);
    await openAndClose(bench, { sweep: false, foreignTmpAgeMs: 0 });
    assert.deepEqual(bench.names(), [...names].sort());
    assert.deepEqual(bench.log.lines, []);
  });
});
