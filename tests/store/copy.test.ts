/**
 * copySnapshot(): between any two stores, checked from end to end.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  MemorySnapshotStore,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  type SnapshotSource,
  type SnapshotStore,
  SnapshotTooLargeError,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { openSnapshotStore } from "@raft/snapshots/backend";
import type { PendingSnapshot } from "../../src/backend/backend.ts";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";
import { archive, metaText } from "../archive/hand_made.ts";
import { byteStream, readOut } from "../archive/stores.ts";
import {
  INIT,
  letOthersWork,
  listIds,
  StoreFixture,
} from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";

const STATE = bytes(5000, 1);

/**
 * A place that takes its time to write, notes how much it was given, and finds
 * out when bytes change meanwhile.
 */
class SlowBackend extends MemoryBackend {
  readonly lengths: number[] = [];

  override async begin(id: string): Promise<PendingSnapshot | "taken"> {
    const pending = await super.begin(id);
    if (pending === "taken") return pending;
    return {
      append: async (given) => {
        this.lengths.push(given.length);
        const before = given.slice();
        await letOthersWork();
        assert.deepEqual(given, before, "changed before it was written");
        await pending.append(before);
      },
      publish: (parts) => pending.publish(parts),
      discard: () => pending.discard(),
    };
  }
}

const STORES = {
  file: (): Promise<SnapshotStore> =>
    new StoreFixture().open({ blockSize: 512, retain: 9 }),
  memory: (): Promise<SnapshotStore> =>
    Promise.resolve(new MemorySnapshotStore({ blockSize: 1024, retain: 9 })),
};

describe("copySnapshot()", () => {
  for (const [from, openFrom] of Object.entries(STORES)) {
    for (const [to, openTo] of Object.entries(STORES)) {
      it(`copies from a ${from} store to a ${to} store`, async () => {
        const [source, target] = [await openFrom(), await openTo()];
        const meta = await source.save(INIT, STATE);
        const told: number[] = [];
        const copy = await copySnapshot(source, meta.id, target, {
          onProgress: ({ done, total }) => {
            assert.equal(total, STATE.length);
            told.push(done);
          },
        });
        assert.equal(told.at(-1), STATE.length);
        const { id, createdAt } = meta;
        assert.deepEqual({ ...copy, id, createdAt }, {
          ...meta,
          takenAt: createdAt,
        });
        const state = await readOut(await target.open(copy.id));
        assert.deepEqual(state, STATE);
        await Promise.all([source.close(), target.close()]);
      });
    }
  }

  it("gives whole blocks to the target without a copy, which stay as they are", async () => {
    const source = new MemorySnapshotStore({ blockSize: 512 });
    const { id } = await source.save(INIT, STATE);
    const twoBlocks = [1024, 1024, 1024, 1024];
    const lengths = {
      512: [...twoBlocks, 512, 392],
      600: [...Array(8).fill(600), 200],
      1024: [...twoBlocks, 904],
      4096: [4096, 904],
    };
    for (const [blockSize, expected] of Object.entries(lengths)) {
      const backend = new SlowBackend();
      const options = { blockSize: Number(blockSize) };
      const target = await openSnapshotStore(backend, options);
      const copied = await copySnapshot(source, id, target);
      assert.deepEqual(backend.lengths, expected);
      assert.equal((await target.verify(copied.id)).ok, true);
      await target.close();
    }
    await source.close();
  });

  it("copies the blocks of another library's reader, which may change them", async () => {
    const source = new MemorySnapshotStore({ blockSize: 512 });
    const { id } = await source.save(INIT, STATE);
    const backend = new SlowBackend();
    const target = await openSnapshotStore(backend, { blockSize: 512 });
    const other = {
      stat: () => source.stat(id),
      open: () => source.open(id),
    };
    await copySnapshot(other, id, target);
    assert.deepEqual(backend.lengths, [...Array(9).fill(512), 392]);
    await Promise.all([source.close(), target.close()]);
  });

  it("does not copy a snapshot that the target has, with ifMissing", async () => {
    const [source, target] = [
      await STORES.memory(),
      await STORES.file(),
    ];
    const meta = await source.save(INIT, STATE);
    const first = await copySnapshot(source, meta.id, target);
    const options = { ifMissing: true };
    const second = await copySnapshot(source, meta.id, target, options);
    assert.deepEqual(second, first);
    const other = await source.save(INIT, bytes(5000, 2));
    await copySnapshot(source, other.id, target, options);
    await copySnapshot(source, meta.id, target);
    assert.equal((await target.list()).length, 3);
    await Promise.all([source.close(), target.close()]);
  });

  it("reads a snapshot without block checksums once", async () => {
    const fixture = new StoreFixture();
    const source = await fixture.open({ blockSize: 512 });
    const { id } = await source.save(INIT, STATE);
    await fixture.unseal(id);
    const done: number[] = [];
    const since = fixture.files.trace.length;
    const target = new MemorySnapshotStore();
    const onProgress = (progress: { done: number }) => done.push(progress.done);
    await copySnapshot(source, id, target, { onProgress });
    const reads = fixture.trace(since).filter((each) =>
      each === `read ${id}/state.bin`
    );
    assert.equal(reads.length, Math.ceil(STATE.length / 1024));
    assert.equal(done.at(-1), STATE.length);
  });

  it("refuses a state that is larger than allowed, before it opens anything", async () => {
    const fixture = new StoreFixture();
    const source = await fixture.open();
    const { id } = await source.save(INIT, STATE);
    const target = new MemorySnapshotStore();
    const since = fixture.files.trace.length;
    const maxSize = STATE.length - 1;
    await assert.rejects(
      copySnapshot(source, id, target, { maxSize }),
      (error) => {
        assert.ok(error instanceof SnapshotTooLargeError);
        assert.deepEqual([error.size, error.maxSize], [STATE.length, maxSize]);
        return true;
      },
    );
    const opened = fixture.trace(since).filter((each) =>
      each.startsWith("open") && each.includes("state.bin")
    );
    assert.deepEqual(opened, []);
    await copySnapshot(source, id, target, { maxSize: STATE.length });
    for (const wrong of [-1, 0.5, NaN]) {
      const copying = copySnapshot(source, id, target, { maxSize: wrong });
      await assert.rejects(copying, RangeError);
    }
  });

  it("leaves nothing of a corrupt snapshot", async () => {
    const fixture = new StoreFixture();
    const source = await fixture.open({ blockSize: 512 });
    const target = new MemorySnapshotStore();
    const { id } = await source.save(INIT, STATE);
    fixture.corrupt(id, 3000);
    await assert.rejects(
      copySnapshot(source, id, target),
      SnapshotCorruptError,
    );
    assert.deepEqual(await target.list(), []);
    await source.close();
  });

  it("never publishes a state that ends too early or has other bytes", async () => {
    const good = new MemorySnapshotStore();
    const meta = await good.save(INIT, STATE);
    const lies = [STATE.subarray(0, 4999), bytes(5000, 7)];
    for (const state of lies) {
      const liar = {
        stat: () => Promise.resolve(meta),
        open: () =>
          Promise.resolve(
            Object.assign(new Blob([state]).stream(), { meta }),
          ) as Promise<SnapshotSource>,
      };
      const target = new MemorySnapshotStore();
      await assert.rejects(
        copySnapshot(liar, meta.id, target),
        SnapshotPublishError,
      );
      assert.deepEqual(await target.list(), []);
    }
  });

  it("stops when the signal aborts, and leaves nothing", async () => {
    const source = new MemorySnapshotStore({ blockSize: 512 });
    const target = new MemorySnapshotStore();
    const { id } = await source.save(INIT, STATE);
    const controller = new AbortController();
    const reason = new Error("enough");
    const copying = copySnapshot(source, id, target, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await assert.rejects(copying, reason);
    assert.deepEqual(await target.list(), []);
    const before = { signal: AbortSignal.abort(reason) };
    await assert.rejects(copySnapshot(source, id, target, before), reason);
  });

  it("says that there is no such snapshot, and lets go of the source", async () => {
    const fixture = new StoreFixture();
    const source = await fixture.open();
    const target = await fixture.open({ readOnly: true });
    const { id } = await source.save(INIT, STATE);
    await assert.rejects(
      copySnapshot(source, "1-1-1", target),
      SnapshotNotFoundError,
    );
    await assert.rejects(copySnapshot(source, id, target));
    assert.equal(fixture.openHandles, 0);
    assert.deepEqual(await listIds(source), [id]);
    await Promise.all([source.close(), target.close()]);
  });

  it("copies the files that an import has kept of its archive", async () => {
    const source = new MemorySnapshotStore();
    const target = await STORES.file();
    const file = archive({ meta: metaText({ ID: "bolt-snapshot" }) });
    const { id } = await importArchive(source, byteStream(file), {
      onWarning: () => {},
    });
    const copy = await copySnapshot(source, id, target);
    const exported = (store: SnapshotStore, of: string) =>
      readOut(exportArchive(store, of, { onWarning: () => {} }));
    assert.deepEqual(
      await exported(target, copy.id),
      await exported(source, id),
    );
    await target.close();
  });
});
