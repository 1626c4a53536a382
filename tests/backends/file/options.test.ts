/**
 * The options of a file store.
 */

import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import {
  type FileSnapshotStoreOptions,
  openFileSnapshotStore,
} from "@raft/snapshots";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { failOn } from "@raft/snapshots/testing";
import {
  INIT,
  letOthersWork,
  listIds,
  Log,
  save,
  StoreFixture,
} from "../../support/store_fixture.ts";

const logger = new Log();

async function refuses(
  options: Readonly<Record<string, unknown>>,
  expected: typeof TypeError | typeof RangeError,
): Promise<void> {
  const fixture = new StoreFixture();
  const opening = fixture.open(options as FileSnapshotStoreOptions);
  await assert.rejects(opening, expected, String(Object.entries(options)));
  assert.equal(fixture.files.trace.length, 0, "nothing has been touched");
}

describe("openFileSnapshotStore()", () => {
  it("rejects numbers that are out of their bounds", async () => {
    for (const retain of [0, -1, 1.5, NaN, -Infinity, 2 ** 53]) {
      await refuses({ retain }, RangeError);
    }
    for (const blockSize of [0, 511, 512.5, 64 * 1024 * 1024 + 1, NaN]) {
      await refuses({ blockSize }, RangeError);
    }
    for (const foreignTmpAgeMs of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      await refuses({ foreignTmpAgeMs }, RangeError);
    }
    for (const mode of [-1, 0o1000, 0.5, NaN]) {
      await refuses({ fileMode: mode }, RangeError);
      await refuses({ directoryMode: mode }, RangeError);
    }
  });

  it("rejects values of the wrong type", async () => {
    const names = ["retain", "blockSize", "fileMode", "directoryMode"];
    for (const name of [...names, "foreignTmpAgeMs"]) {
      for (const value of ["2", 2n, {}, true]) {
        await refuses({ [name]: value }, TypeError);
      }
    }
    for (const clock of [1000, "now", {}]) await refuses({ clock }, TypeError);
    for (const sweep of [0, "no", {}]) await refuses({ sweep }, TypeError);
    for (const logger of [5, {}, { warn() {} }, { ...console, info: "x" }]) {
      await refuses({ logger }, TypeError);
    }
  });

  it("publishes a snapshot although its logger throws", async () => {
    const fixture = new StoreFixture();
    const fail = () => {
      throw new Error("the log's disk is full");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const store = await fixture.open({ retain: 1, logger });
    await save(store, "old", { index: 1 });
    // Removing the old one fails, which is logged.
    fixture.files.inject(failOn("rename", "EACCES", { path: /deleted/ }));
    const id = await save(store, "new", { index: 2 });
    assert.equal((await store.list())[0]?.id, id);
    await store.close();
  });

  it("returns a store that does not end the process when its logger rejects", async () => {
    const fixture = new StoreFixture();
    let rejections = 0;
    const fail = () => ({
      then(_: unknown, reject: (reason: unknown) => void) {
        rejections++;
        reject(new Error("the log server is down"));
      },
    });
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const store = await fixture.open({ logger });
    fixture.files.inject(failOn("removeDirectory", "EIO", { times: 1 }));
    const sink = await store.create(INIT);
    await sink.cancel();
    await letOthersWork();
    assert.ok(rejections > 0);
    await store.close();
  });

  it("rejects a directory without a name", async () => {
    for (
      const [directory, message] of [
        ["", "found an empty text, expected a path"],
        [undefined, "found undefined, expected a path or a file: URL"],
        [null, "found null, expected a path or a file: URL"],
      ]
    ) {
      await assert.rejects(openFileSnapshotStore(directory as string), {
        name: "TypeError",
        message: `Cannot use the name of a directory: ${message}`,
      });
    }
  });

  it("returns a store that retains two snapshots by default", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    for (const index of [1, 2, 3, 4]) await save(store, "", { index });
    assert.equal((await store.list()).length, 2);
    await store.close();
  });

  it("ignores later changes to the options object", async () => {
    const fixture = new StoreFixture();
    const options = { retain: 1, fileSystem: fixture.files, logger };
    const store = await openFileSnapshotStore("/data", options);
    options.retain = 100;
    for (const index of [1, 2, 3]) await save(store, "", { index });
    assert.equal((await store.list()).length, 1);
    await store.close();
  });

  it("takes a path or a file: URL, with or without a slash", async (t) => {
    const directory = await temporaryDirectory(t);
    let id = "";
    for (
      const form of [
        directory,
        `${directory}/`,
        join(directory, "x", ".."),
        pathToFileURL(directory),
        pathToFileURL(`${directory}/`),
      ]
    ) {
      const store = await openFileSnapshotStore(form, { logger });
      if (id === "") id = await save(store, "state");
      assert.deepEqual(await listIds(store), [id], String(form));
      await store.close();
    }
  });

  it("returns a store that logs to its logger, and else to the console", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const stranger = "/data/snapshots/stranger\x1b[2J\nERROR\x9b\u202e";
    fixture.disk.writeFile(stranger, new Uint8Array());
    await store.list();
    const shown = String.raw`stranger\u001b[2J\u000aERROR\u009b\u202e`;
    const [line] = fixture.log.matching("warn", "stranger");
    assert.ok(line?.includes(shown), line);
    await store.close();

    const lines: unknown[] = [];
    const { warn } = console;
    console.warn = (line: unknown) => void lines.push(line);
    try {
      const fileSystem = fixture.files;
      const quiet = await openFileSnapshotStore("/data", { fileSystem });
      await quiet.list();
      await quiet.close();
    } finally {
      console.warn = warn;
    }
    assert.equal(lines.length, 1);
    assert.ok(String(lines[0]).includes(shown), "one line, and printable");
  });
});

describe("the permission bits of a store's files", () => {
  const skip = process.platform === "win32" ? "needs POSIX" : false;

  async function modes(directory: string, id: string): Promise<string[]> {
    const paths = [
      "snapshots",
      `snapshots/${id}`,
      ...["state.bin", "meta.json", "blocks.crc64"].map((part) =>
        `snapshots/${id}/${part}`
      ),
      "snapshots/.lock",
    ];
    const found = [];
    for (const path of paths) {
      const { mode } = await stat(join(directory, path));
      found.push((mode & 0o777).toString(8));
    }
    return found;
  }

  it("let only the owner in", { skip }, async (t) => {
    const base = join(await temporaryDirectory(t), "made", "by us");
    const store = await openFileSnapshotStore(base, { logger });
    const sink = await store.create(INIT);
    const shut = ["700", "700", "600", "600", "600", "600"];
    assert.deepEqual(await modes(base, `${sink.id}.tmp`), shut);
    await sink.close();
    assert.deepEqual(await modes(base, sink.id), shut);
    assert.equal((await stat(base)).mode & 0o777, 0o700);
    assert.equal((await stat(join(base, ".."))).mode & 0o777, 0o700);
    await store.close();
  });

  it("can be chosen, as far as the umask permits", { skip }, async (t) => {
    const base = join(await temporaryDirectory(t), "base");
    const before = process.umask(0o022);
    try {
      const store = await openFileSnapshotStore(base, {
        logger,
        fileMode: 0o640,
        directoryMode: 0o750,
      });
      const id = await save(store, "state");
      assert.deepEqual(
        (await modes(base, id)).slice(0, 5),
        ["750", "750", "640", "640", "640"],
      );
      await store.close();
    } finally {
      process.umask(before);
    }
  });
});
