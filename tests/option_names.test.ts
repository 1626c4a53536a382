/** Options that do not exist are refused, in every call that takes options. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  applyRetentionPolicy,
  copySnapshot,
  MemorySnapshotStore,
  openFileSnapshotStore,
} from "@raft/snapshots";
import {
  exportArchive,
  importArchive,
  readArchive,
} from "@raft/snapshots/archive";
import { BackedStore, openSnapshotStore } from "@raft/snapshots/backend";
import { Crc64CheckStream } from "@raft/snapshots/crc64";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";
import { openS3SnapshotStore } from "@raft/snapshots/s3";
import {
  MemoryFileSystem,
  snapshotStoreConformance,
} from "@raft/snapshots/testing";
import { EditableBackend } from "./store/editable_backend.ts";
import { INIT, streamOfChunks } from "./support/store_fixture.ts";

const STATE = new Uint8Array(9);

/** Calls that take options, each with those that it needs. */
const CALLS: Readonly<Record<string, (more: object) => unknown>> = {
  openFileSnapshotStore: (more) =>
    openFileSnapshotStore("/d", {
      fileSystem: new MemoryFileSystem(),
      retain: 3,
      ...more,
    }),
  openSnapshotStore: (more) => openSnapshotStore(new EditableBackend(), more),
  openS3SnapshotStore: (more) => openS3SnapshotStore("s3://bucket", more),
  openHttpSnapshotStore: (more) => openHttpSnapshotStore("http://host/", more),
  "new BackedStore": (more) => new BackedStore(new EditableBackend(), more),
  "new MemorySnapshotStore": (more) => new MemorySnapshotStore(more),
  snapshotHandler: (more) =>
    snapshotHandler(new MemorySnapshotStore(), {
      authorize: () => true,
      ...more,
    }),
  snapshotStoreConformance: (more) =>
    snapshotStoreConformance(() => new MemorySnapshotStore(), more),
  "new Crc64CheckStream": (more) =>
    new Crc64CheckStream({ crc: 0n, size: 0, ...more }),
  create: (more) => new MemorySnapshotStore().create(INIT, more),
  save: (more) => new MemorySnapshotStore().save(INIT, STATE, more),
  "the expected state of create": (more) =>
    new MemorySnapshotStore().create(INIT, { expected: more }),
  "the expected state of save": (more) =>
    new MemorySnapshotStore().save(INIT, STATE, {
      expected: { size: STATE.length, ...more },
    }),
  "the retries of openHttpSnapshotStore": (more) =>
    openHttpSnapshotStore("http://host/", { retry: { budgetMs: 1, ...more } }),
  list: (more) => new MemorySnapshotStore().list(more),
  open: (more) => withSnapshot((store, id) => store.open(id, more)),
  verify: (more) => withSnapshot((store, id) => store.verify(id, more)),
  seal: (more) => withSnapshot((store, id) => store.seal(id, more)),
  copySnapshot: (more) =>
    withSnapshot((store, id) =>
      copySnapshot(store, id, new MemorySnapshotStore(), more)
    ),
  applyRetentionPolicy: (more) =>
    applyRetentionPolicy([], { last: 1, ...more }, {
      timeOf: () => new Date(),
    }),
  "the period of applyRetentionPolicy": (more) =>
    applyRetentionPolicy([], { within: { days: 1, ...more } }, {
      timeOf: () => new Date(),
    }),
  clean: (more) => withSnapshot((store) => store.clean(more)),
  exportArchive: (more) =>
    withSnapshot((store, id) => exportArchive(store, id, more)),
  importArchive: (more) =>
    importArchive(new MemorySnapshotStore(), streamOfChunks(), more),
  readArchive: (more) => readArchive(streamOfChunks(), more),
};

async function withSnapshot<T>(
  use: (store: MemorySnapshotStore, id: string) => T,
): Promise<Awaited<T>> {
  const store = new MemorySnapshotStore();
  const { id } = await store.save(INIT, STATE);
  return await use(store, id);
}

describe("an option that does not exist", () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`is refused by name by ${name}()`, async () => {
      await assert.rejects(async () => await call({ retian: 3 }), {
        name: "TypeError",
        message:
          /^Cannot use the option "retian": unknown, expected one of \w+(, \w+)*$/,
      });
    });
  }

  it("is named among the options that do exist", async () => {
    const open = openFileSnapshotStore("/d", { retian: 3 } as object);
    await assert.rejects(
      open,
      /expected one of retain, .*fileSystem, .*hostId/,
    );
  });

  it("is shown without control characters, and shortened", () => {
    const name = `\u001b[31m${"x".repeat(1000)}`;
    assert.throws(
      () => new MemorySnapshotStore({ [name]: 1 }),
      /^TypeError: Cannot use the option "\\u001b\[31mx+\.\.\.": unknown/,
    );
  });

  it("is left out when it is undefined", async () => {
    const options = { retain: undefined, retian: undefined };
    assert.deepEqual(await new MemorySnapshotStore(options).list(), []);
  });

  it("is not one that every object inherits", () => {
    const options = { constructor: 3 } as object;
    assert.throws(() => new MemorySnapshotStore(options), /"constructor"/);
  });

  it("has another message than options that are not an object", () => {
    for (const options of [null, 3, "retain"]) {
      assert.throws(() => new MemorySnapshotStore(options as never), {
        name: "TypeError",
        message: /^Cannot use options: found \w+, expected an object$/,
      });
    }
  });

  it("is refused among the metadata of a snapshot, where it would be ignored", async () => {
    const store = new MemorySnapshotStore();
    const options = {
      signal: AbortSignal.abort(),
      expected: { size: 1 },
      onProgress: () => {},
    };
    for (const [name, option] of Object.entries(options)) {
      const init = { ...INIT, [name]: option };
      const message =
        `Cannot create a snapshot: found the option "${name}" in its ` +
        "metadata, expected it in the last argument";
      const expected = { name: "TypeError", message };
      await assert.rejects(store.create(init), expected);
      await assert.rejects(store.save(init, STATE), expected);
    }
    const { size } = await store.save(
      { ...INIT, ...{ signal: undefined } },
      STATE,
    );
    assert.equal(size, STATE.length);
  });
});
