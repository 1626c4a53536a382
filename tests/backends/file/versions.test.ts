/**
 * The metadata that lists remember: a list must notice every change by another
 * program, and read nothing again without one.
 */

import assert from "node:assert/strict";
import {
  appendFile,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it, type TestContext } from "node:test";
import { openFileSnapshotStore, type SnapshotStore } from "@raft/snapshots";
import { nodeFileSystem } from "@raft/snapshots/node";
import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";
import {
  listIds,
  Log,
  save,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** How often files were opened to be read since. */
function readsSince(files: FaultyFileSystem, start: number): number {
  return files.trace.slice(start).filter(({ name }) => name === "read").length;
}

/** Counts the reads of a list. */
async function readsOf(
  files: FaultyFileSystem,
  store: SnapshotStore,
): Promise<number> {
  const start = files.trace.length;
  await store.list();
  return readsSince(files, start);
}

/** A real directory with snapshots that a store knows and does not read. */
async function setUp(t: TestContext, count: number) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFileSystem(nodeFileSystem);
  const store = await openFileSnapshotStore(directory, {
    fileSystem: files,
    logger: new Log(),
    retain: count,
  });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.push(await save(store, "state", { index }));
  }
  assert.ok(await readsOf(files, store) > 0, "too young to be kept");
  for (let reads = 1; reads > 0;) reads = await readsOf(files, store);
  const pathsOf = (id: string) => (name: string) =>
    join(directory, "snapshots", id, name);
  return { files, store, ids, pathsOf };
}

/** Sets a file's times back to the former ones. */
async function keepingTimes(
  path: string,
  change: () => Promise<void>,
): Promise<void> {
  const { atime, mtime } = await stat(path);
  await change();
  await utimes(path, atime, mtime);
}

const flip = async (path: string) => {
  const bytes = await readFile(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
};

/** Changes after which the newer snapshot is not listed any more. */
const CHANGES: Readonly<
  Record<string, (path: (name: string) => string) => Promise<void>>
> = {
  "a bit of meta.json, with its size and times set back": (path) =>
    keepingTimes(path("meta.json"), () => flip(path("meta.json"))),
  "meta.json, replaced by a file with its size and times": async (path) => {
    const { atime, mtime } = await stat(path("meta.json"));
    await writeFile(path("other"), await readFile(path("meta.json")));
    await flip(path("other"));
    await utimes(path("other"), atime, mtime);
    await rename(path("other"), path("meta.json"));
  },
  "meta.json, removed": (path) => rm(path("meta.json")),
  "the length of state.bin": (path) => appendFile(path("state.bin"), "x"),
  "the length of state.bin, with its times set back": (path) =>
    keepingTimes(path("state.bin"), () => truncate(path("state.bin"), 1)),
  "state.bin, removed": (path) => rm(path("state.bin")),
};

describe("a list of snapshots that were listed before", () => {
  const skip = process.platform === "win32" ? "needs POSIX" : false;

  it("notices every change behind the store's back", { skip }, async (t) => {
    const changes = Object.entries(CHANGES);
    const { store, ids, pathsOf } = await setUp(t, changes.length);
    for (const [what, change] of changes) {
      const id = ids.shift() ?? "";
      await change(pathsOf(id));
      assert.deepEqual(await listIds(store), ids.toReversed(), what);
    }
    await store.close();
  });

  it(
    "reads again when blocks.crc64 is changed, removed or made, and gives metadata that the caller may change",
    {
      skip,
    },
    async (t) => {
      const { files, store, ids: [id = ""], pathsOf } = await setUp(t, 1);
      const [meta] = await store.list();
      assert.ok(meta);
      const expected = structuredClone(meta);
      const writable = meta as unknown as { size: number };
      writable.size = 0;
      const servers = meta.configuration.servers as unknown as { id: string }[];
      for (const server of servers) server.id = "changed";
      servers.pop();
      meta.peers.fill(0);
      assert.deepEqual(structuredClone((await store.list())[0]), expected);

      const path = pathsOf(id)("blocks.crc64");
      const blocks = await readFile(path);
      const changes = [
        () => flip(path),
        () => rm(path),
        () => writeFile(path, blocks),
      ];
      for (const change of changes) {
        await change();
        assert.ok(await readsOf(files, store) > 0);
        assert.deepEqual(await listIds(store), [id]);
      }
      await store.close();
    },
  );

  it("looks at no directory that readdir has told the kind of", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([1]);
    const store = await fixture.open();
    const start = fixture.files.trace.length;
    assert.deepEqual(await listIds(store), [id]);
    const steps = fixture.trace(start);
    assert.ok(steps.includes(`open ${id}/meta.json`), steps.join("\n"));
    assert.ok(!steps.includes(`stat ${id}`), steps.join("\n"));
    await store.close();
  });

  it("leaves out a directory that has become a file since its name was read", async () => {
    const fixture = new StoreFixture();
    const [old = "", id = ""] = await fixture.prepare([1, 2]);
    const store = await fixture.open();
    let swapped: Promise<void> | undefined;
    fixture.files.inject(({ name, path }) => {
      if (name !== "open" || path !== `${SNAPSHOTS}/${id}/meta.json`) return;
      swapped ??= (async () => {
        await fixture.disk.removeTree(`${SNAPSHOTS}/${id}`);
        const file = await fixture.disk.open(`${SNAPSHOTS}/${id}`, "create");
        await file.close();
      })();
      return { wait: swapped };
    });
    assert.deepEqual(await listIds(store), [old]);
    assert.ok(swapped !== undefined);
    await store.close();
  });

  it("keeps nothing where the platform tells no times of changes", async () => {
    const fixture = new StoreFixture(new MemoryFileSystem());
    const store = await fixture.open();
    await save(store, "state");
    for (let i = 0; i < 3; i++) assert.ok(await readsOf(fixture.files, store));
    await store.close();
  });

  it("keeps nothing that the disk has changed less than two seconds ago", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await save(store, "state");
    // A disk whose clock is an hour ahead, or an hour behind.
    for (const ahead of [3_600_000, -3_600_000]) {
      let age = 0;
      const real = fixture.disk.stat.bind(fixture.disk);
      const changed = Date.now() + ahead;
      fixture.disk.stat = async (path) => ({
        ...await real(path),
        changedMs: path.endsWith("state.bin") ? changed : changed - age,
      });
      for (let i = 0; i < 3; i++) {
        assert.ok(await readsOf(fixture.files, store), `${ahead}`);
      }
      age = 10_000;
      assert.ok(await readsOf(fixture.files, store), `${ahead}`);
      fixture.disk.stat = real;
    }
    await store.close();
  });
});
