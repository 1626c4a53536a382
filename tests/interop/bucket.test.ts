/**
 * A bucket that is copied to a disk is a directory that Go's store opens, and a
 * directory that is copied to a bucket is a store.
 */

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { memoryBucket, type TestBucket } from "../support/s3/bucket.ts";
import { INIT, listIds, Log, save } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { describeWithGo } from "./go_program.ts";
import { sha256 } from "./states.ts";

/** Copies every object to a file, as any tool does. */
async function copyDown(bucket: TestBucket, base: string): Promise<void> {
  for (const name of await bucket.names()) {
    const [id = "", part = ""] = name.split("/");
    const path = join(base, "snapshots", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await bucket.read(id, part));
  }
}

/** Copies every file to an object. */
async function copyUp(base: string, bucket: TestBucket): Promise<void> {
  for (const id of await readdir(join(base, "snapshots"))) {
    if (id.startsWith(".")) continue;
    for (const part of await readdir(join(base, "snapshots", id))) {
      const content = await readFile(join(base, "snapshots", id, part));
      await bucket.write(id, part, new Uint8Array(content));
    }
  }
}

describeWithGo("a bucket", (ask) => {
  it("is a store of Go's when it is copied to a disk", async (t) => {
    const bucket = memoryBucket();
    const store = await bucket.open();
    const states = new Map<string, Uint8Array>();
    for (const [index, size] of [[1, 0], [2, 1], [3, 9_000_000]] as const) {
      const state = bytes(size, index);
      states.set(await save(store, state, { index }), state);
    }
    // Go does not list an unfinished snapshot either.
    const sink = await store.create(INIT);
    const base = await temporaryDirectory(t);
    await copyDown(bucket, base);
    await sink.cancel();
    const go = { base, retain: 10 };
    const listed = await ask("store.list", go);
    assert.equal(listed.length, states.size);
    for (const [id, state] of states) {
      const opened = await ask("store.open", { ...go, id });
      assert.equal(opened.length, state.length);
      assert.equal(opened.sha256, sha256(state));
    }
    const local = await openFileSnapshotStore(base, { logger: new Log() });
    assert.deepEqual(await listIds(local), [...states.keys()].reverse());
    for (const id of states.keys()) {
      assert.equal((await local.verify(id)).ok, true);
    }
    await local.close();
    await store.close();
  });

  it("takes a directory that Go has written, which is then a store", async (t) => {
    const base = await temporaryDirectory(t);
    const { id } = await ask("store.create", {
      base,
      retain: 1,
      index: "7",
      term: "2",
      servers: [],
      configurationIndex: "1",
      content: { length: 5000, seed: 1 },
    });
    const bucket = memoryBucket();
    await copyUp(base, bucket);
    const store = await bucket.open();
    assert.deepEqual(await listIds(store), [id]);
    assert.equal((await store.verify(id)).ok, true);
    await store.seal(id);
    assert.equal((await store.verify(id)).sealed, true);
    await store.delete(id);
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });
});
