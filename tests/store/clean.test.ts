/**
 * clean(), and seal(), of places that can't do it or tell nonsense.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type CleanReport,
  MemorySnapshotStore,
  OperationUnsupportedError,
  StoreAccessError,
  StoreClosedError,
  type UnfinishedSnapshot,
} from "@raft/snapshots";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { INIT, save } from "../support/store_fixture.ts";
import { ChangedBackend } from "./changed_backend.ts";
import { EditableBackend } from "./editable_backend.ts";

const FOUND: UnfinishedSnapshot = {
  id: "3-10-1",
  name: "3-10-1",
  state: "writing",
  size: 4,
  changedAt: new Date(0),
  isForeign: false,
  mayBeUnderWay: true,
};

describe("clean()", () => {
  it("removes nothing where the place can't remove unfinished snapshots", async () => {
    const store = new MemorySnapshotStore();
    const sink = await store.create(INIT);
    const { removed, left, failed } = await store.clean();
    assert.deepEqual([removed, failed], [[], []]);
    assert.deepEqual(left.map(({ id }) => id), [sink.id]);
    await sink.close();
    await store.close();
  });

  it("passes olderThanMs on, and gives the backend's report", async () => {
    const given: unknown[] = [];
    const report: CleanReport = { removed: [FOUND], left: [], failed: [] };
    const backend = Object.assign(new EditableBackend(), {
      clean: (olderThanMs: number | undefined) => {
        given.push(olderThanMs);
        return Promise.resolve(report);
      },
    });
    const store = await openSnapshotStore(backend);
    assert.deepEqual(await store.clean({ olderThanMs: 5 }), report);
    await store.clean();
    assert.deepEqual(given, [5, undefined]);
    await store.close();
  });

  it("rejects a report that is not valid, and an error of the backend", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const nonsense = [undefined, { removed: [FOUND] }, {
      removed: [{ ...FOUND, id: "../../etc" }],
      left: [],
      failed: [],
    }];
    for (const told of nonsense) {
      backend.change("clean", () => told);
      await assert.rejects(store.clean(), StoreAccessError);
    }
    backend.change("clean", () => Promise.reject(new Error("EIO")));
    await assert.rejects(store.clean(), StoreAccessError);
    await store.close();
  });

  it("rejects in a store that was opened read-only, and in one that is closed", async () => {
    const options = { readOnly: true };
    const reader = await openSnapshotStore(new EditableBackend(), options);
    await assert.rejects(reader.clean(), StoreAccessError);
    await reader.close();
    await assert.rejects(reader.clean(), StoreClosedError);
  });
});

describe("seal()", () => {
  it("rejects with OperationUnsupportedError where the place can't add block checksums", async () => {
    const backend = new EditableBackend();
    Object.assign(backend, { addBlocks: undefined });
    const store = await openSnapshotStore(backend);
    const id = await save(store, "state");
    assert.equal((await store.seal(id)).id, id, "it has them already");
    backend.removePart(id, "blocks.crc64");
    await assert.rejects(store.seal(id), (error) => {
      assert.ok(error instanceof OperationUnsupportedError, String(error));
      assert.equal(error.code, "ERR_OPERATION_UNSUPPORTED");
      return true;
    });
    await store.close();
  });
});
