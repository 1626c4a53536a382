import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  MemorySnapshotStore,
  openFileSnapshotStore,
  type SnapshotInit,
  SnapshotPublishError,
  type SnapshotSink,
  type SnapshotStore,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { openDescriptors } from "../support/open_descriptors.ts";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { archive, metaText } from "./hand_made.ts";
import { byteStream, readOut, save, storeOf, VastStore } from "./stores.ts";

const INIT: SnapshotInit = {
  index: 2n ** 64n - 1n,
  term: 2n ** 53n + 1n,
  configuration: {
    servers: [
      { suffrage: "voter", id: "a", address: "10.0.0.1:8300" },
      { suffrage: "nonvoter", id: "<b> & \u2028", address: "[::1]:8300" },
      { suffrage: "staging", id: "", address: "" },
    ],
  },
  configurationIndex: 2n ** 63n,
};

/** Runs with a store in a directory of its own; nothing must stay open. */
async function withStore(
  use: (store: SnapshotStore, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await temporaryDirectory();
  const store = await openFileSnapshotStore(directory);
  try {
    await use(store, directory);
  } finally {
    await store.close();
  }
  assert.deepEqual(openDescriptors(directory) ?? [], []);
}

async function snapshotNames(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, "snapshots"));
  return names.filter((name) => !name.startsWith(".lock"));
}

/** The fields that differ between stores. */
const OWN = { id: "", createdAt: new Date(0) };

describe("importArchive()", () => {
  for (const length of [0, 1, 512, 100_000, 3 * 1024 * 1024 + 1]) {
    it(`brings a snapshot of ${length} bytes from one directory to another`, async () => {
      const state = bytes(length, length);
      await withStore((from) =>
        withStore(async (to, directory) => {
          const original = await save(from, state, INIT);
          const meta = await importArchive(
            to,
            exportArchive(from, original.id, { level: 1 }),
          );
          // A tar has whole seconds.
          const seconds = Math.round(original.createdAt.getTime() / 1000);
          const takenAt = new Date(seconds * 1000);
          const expected = { ...original, ...OWN, takenAt };
          assert.deepEqual({ ...meta, ...OWN }, expected);
          assert.deepEqual(await to.list(), [meta]);
          assert.deepEqual(await readOut(await to.open(meta.id)), state);
          assert.ok((await to.verify(meta.id)).ok);
          assert.deepEqual(await snapshotNames(directory), [meta.id]);
        })
      );
    });
  }

  it("gives the snapshot an ID of the store, whatever ID it had", async () => {
    const store = new MemorySnapshotStore();
    const meta = metaText({ ID: "../../etc/passwd" });
    const { id } = await importArchive(store, byteStream(archive({ meta })));
    assert.match(id, /^3-10-\d+$/);
  });

  it("lets the store remove the snapshots that it does not retain", async () => {
    await withStore(async (store) => {
      const ids: string[] = [];
      for (const Index of [5, 6, 7]) {
        const file = archive({ meta: metaText({ Index }) });
        ids.unshift((await importArchive(store, byteStream(file))).id);
      }
      const kept = await store.list();
      assert.deepEqual(kept.map(({ id }) => id), ids.slice(0, 2));
    });
  });

  it("takes the servers of a snapshot of version 0 from its peers", async () => {
    const meta = metaText({ Version: 0, Configuration: null });
    const imported = await importArchive(
      new MemorySnapshotStore(),
      byteStream(archive({ meta })),
    );
    const servers = [
      { suffrage: "voter", id: "over here", address: "over here" },
    ];
    assert.deepEqual(imported.configuration, { servers });
    assert.equal(imported.configurationIndex, 10n);
    assert.equal(imported.version, 1);
  });

  it("rejects a snapshot of version 0 whose peers can't be decoded", async () => {
    const meta = metaText({ Version: 0, Peers: "AAAA" });
    const store = new MemorySnapshotStore();
    await assert.rejects(importArchive(store, byteStream(archive({ meta }))), {
      name: "SnapshotArchiveError",
      reason: "meta",
      member: "meta.json",
    });
  });

  it("publishes nothing of an archive whose last byte is wrong", async () => {
    await withStore(async (store, directory) => {
      const file = Buffer.from(archive({ state: bytes(100_000, 1) }));
      file[file.length - 1] = 1;
      await assert.rejects(importArchive(store, byteStream(file)), {
        name: "SnapshotArchiveError",
        reason: "gzip",
        offset: file.length - 4,
      });
      assert.deepEqual(await snapshotNames(directory), []);
    });
  });

  it("leaves nothing behind when the archive breaks off", async () => {
    await withStore(async (store, directory) => {
      const file = archive({ state: bytes(100_000, 1) });
      const reason = new Error("the network is down");
      let left = file.subarray(0, 60_000);
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left.length === 0) return controller.error(reason);
          controller.enqueue(new Uint8Array(left));
          left = left.subarray(left.length);
        },
      });
      await assert.rejects(importArchive(store, stream), reason);
      assert.deepEqual(await snapshotNames(directory), []);
    });
  });

  it("leaves nothing behind when the signal aborts", async () => {
    await withStore(async (store, directory) => {
      const vast = new VastStore({ size: 8 * 1024 ** 3 });
      const controller = new AbortController();
      const { signal } = controller;
      const importing = importArchive(
        store,
        exportArchive(vast, vast.meta.id, { level: 0 }),
        {
          signal,
          onProgress({ done }) {
            if (done > 2 * 1024 ** 2) controller.abort(new Error("enough"));
          },
        },
      );
      await assert.rejects(importing, { message: "enough" });
      assert.ok(vast.use.released);
      assert.deepEqual(await snapshotNames(directory), []);
    });
  });

  it("cancels the archive when the store can't take it", async () => {
    const vast = new VastStore({ size: 8 * 1024 ** 3 });
    const directory = await temporaryDirectory();
    const store = await openFileSnapshotStore(directory);
    await store.close();
    const stream = exportArchive(vast, vast.meta.id, { level: 0 });
    await assert.rejects(importArchive(store, stream), {
      name: "StoreClosedError",
    });
    assert.ok(vast.use.released);
  });

  it("cancels the archive when the store fails during the import", async () => {
    const vast = new VastStore({ size: 8 * 1024 ** 3 });
    const store = new MemorySnapshotStore();
    const create = store.create.bind(store);
    store.create = async (init) => {
      const sink = await create(init);
      void sink.cancel(new Error("the disk is full"));
      return sink;
    };
    const stream = exportArchive(vast, vast.meta.id, { level: 0 });
    await assert.rejects(importArchive(store, stream), {
      message: "the disk is full",
    });
    assert.ok(vast.use.released);
    assert.deepEqual(await store.list(), []);
  });

  it("rejects with the first error when the clean-up fails, too", async () => {
    const { store, meta } = await storeOf("older");
    const cannot = () =>
      Promise.reject(
        new SnapshotPublishError("Cannot clean up", { published: false }),
      );
    store.create = () => {
      const stream = new WritableStream<Uint8Array>({ abort: cannot });
      const published = new Promise<never>(() => {});
      const parts = {
        ...{ id: meta.id, meta, published, cancel: cannot },
        [Symbol.asyncDispose]: cannot,
      };
      return Promise.resolve(Object.assign(stream, parts) as SnapshotSink);
    };
    const file = archive({ sums: "nonsense\n" });
    await assert.rejects(importArchive(store, byteStream(file)), {
      name: "SnapshotArchiveError",
      reason: "digest",
      member: "SHA256SUMS",
    });
  });

  it("only cancels the archive when the signal has aborted before", async () => {
    const { store } = await storeOf("newer");
    const signal = AbortSignal.abort(new Error("enough"));
    let reason: unknown;
    const stream = new ReadableStream({
      pull: () => assert.fail("it is read"),
      cancel: (given) => void (reason = given),
    }, { highWaterMark: 0 });
    await assert.rejects(importArchive(store, stream, { signal }), {
      message: "enough",
    });
    assert.equal(reason, signal.reason);
    assert.equal((await store.list()).length, 1);
  });
});
