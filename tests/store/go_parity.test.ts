/**
 * The assertions of Go's own tests of its stores, for our stores.
 */

import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  DiscardSnapshotStore,
  MemorySnapshotStore,
  openFileSnapshotStore,
  SnapshotNotFoundError,
  StoreAccessError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  encode,
  INIT,
  listIds,
  load,
  Log,
  save,
  StoreFixture,
} from "../support/store_fixture.ts";

const logger = new Log();

describe("the file store, in the tests of file_snapshot_test.go,", () => {
  it("lists a snapshot once its sink is closed, and never before", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    assert.deepEqual(await store.list(), []);

    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("first\n"));
    await writer.write(encode("second\n"));
    assert.deepEqual(await store.list(), []);
    await writer.close();

    const [meta, ...others] = await store.list();
    assert.deepEqual(others, []);
    assert.equal(meta?.index, 10n);
    assert.equal(meta.term, 3n);
    assert.deepEqual(meta.configuration, INIT.configuration);
    assert.equal(meta.configurationIndex, 2n);
    assert.equal(meta.size, 13);
    assert.equal(await load(store, meta.id), "first\nsecond\n");
    await store.close();
  });

  it("keeps nothing of a sink that is cancelled", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    const sink = await store.create(INIT);
    await sink.cancel();
    assert.deepEqual(await store.list(), []);
    await store.close();
  });

  it("keeps the newest two of five", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger, retain: 2 });
    for (let i = 10; i < 15; i++) await save(store, "", { index: i });
    const metas = await store.list();
    assert.deepEqual(metas.map(({ index }) => index), [14n, 13n]);
    await store.close();
  });

  it("makes the directory again when a parent of it was removed", async (t) => {
    const parent = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(join(parent, "a", "b"), {
      logger,
    });
    await rm(join(parent, "a"), { recursive: true });
    const id = await save(store, "state");
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("makes missing parent directories", async (t) => {
    const parent = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(join(parent, "a", "b", "c"), {
      logger,
    });
    const id = await save(store, "state");
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("refuses a directory that it can't use, and says why", async (t) => {
    const parent = await temporaryDirectory(t);
    const path = join(parent, "file");
    await writeFile(path, "not a directory");
    await assert.rejects(openFileSnapshotStore(path, { logger }), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(error.message, /Cannot write to .*file/);
      assert.ok(error.systemCode !== undefined && error.cause !== undefined);
      return true;
    });
  });

  it("refuses a directory that is write-protected", async () => {
    for (const name of ["makeDirectory", "lock", "open"] as const) {
      const fixture = new StoreFixture();
      fixture.files.inject(failOn(name, "EACCES"));
      await assert.rejects(fixture.open(), (error) => {
        assert.ok(error instanceof StoreAccessError);
        assert.equal(error.systemCode, "EACCES");
        return true;
      });
      fixture.files.inject();
      await (await fixture.open()).close(); // nothing is left locked
    }
  });

  it("sorts by term, then by index, as numbers", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    await save(store, "", { term: 5n, index: 130350n });
    await save(store, "", { term: 36n, index: 204917n });
    const metas = await store.list();
    assert.deepEqual(
      metas.map(({ term, index }) => [term, index]),
      [[36n, 204917n], [5n, 130350n]],
    );
    await store.close();
  });
});

describe("the memory store, in the tests of inmem_snapshot_test.go,", () => {
  it("gives the same state however often it is opened", async () => {
    const store = new MemorySnapshotStore();
    const id = await save(store, "first\nsecond\n");
    const [meta] = await store.list();
    assert.equal(meta?.size, 13);
    for (let i = 0; i < 2; i++) {
      assert.equal(await load(store, id), "first\nsecond\n");
    }
  });
});

describe("the discard store, in the tests of discard_snapshot_test.go,", () => {
  it("lists nothing and refuses to open anything", async () => {
    const store = new DiscardSnapshotStore();
    const id = await save(store, "state");
    assert.deepEqual(await store.list(), []);
    await assert.rejects(store.open(id), SnapshotNotFoundError);
  });
});
