/**
 * Bytes that are damaged on their way from the place: a backend that can fetch
 * them again is asked to.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  MemorySnapshotStore,
  SnapshotCorruptError,
  type SnapshotStore,
} from "@raft/snapshots";
import { openSnapshotStore } from "@raft/snapshots/backend";
import type { StateHandle } from "../../src/backend/backend.ts";
import { readFully } from "../../src/bytes.ts";
import { bytes } from "../support/random.ts";
import { readOut } from "../archive/stores.ts";
import { INIT, Log } from "../support/store_fixture.ts";
import { EditableBackend } from "./editable_backend.ts";

const BLOCK = 512;
const STATE = bytes(9 * BLOCK + 100, 1);

/** A place whose bytes are damaged on their way. */
class NoisyBackend extends EditableBackend {
  /** Whether bytes can be fetched again. */
  canReread = true;
  /** For each position, how many of its next readings are damaged. */
  readonly noise = new Map<number, number>();
  /** Where blocks were read again. */
  readonly rereads: number[] = [];

  override async openState(id: string): Promise<StateHandle> {
    const handle = await super.openState(id);
    const read = async (buffer: Uint8Array, position: number) => {
      const count = await readFully(handle, buffer, position);
      for (const [at, left] of this.noise) {
        const i = at - position;
        if (left === 0 || i < 0 || i >= count) continue;
        buffer[i] = (buffer[i] ?? 0) ^ 1;
        this.noise.set(at, left - 1);
      }
      return count;
    };
    if (!this.canReread) return { ...handle, read };
    const reread = async (buffer: Uint8Array, position: number) => {
      this.rereads.push(position);
      await read(buffer, position);
    };
    return { ...handle, read, reread };
  }
}

async function makeStore(): Promise<
  { backend: NoisyBackend; store: SnapshotStore; id: string }
> {
  const backend = new NoisyBackend();
  const options = { blockSize: BLOCK, logger: new Log() };
  const store = await openSnapshotStore(backend, options);
  const { id } = await store.save(INIT, STATE);
  return { backend, store, id };
}

describe("a block that arrives damaged", () => {
  it("is read again, and only that block", async () => {
    const { backend, store, id } = await makeStore();
    backend.noise.set(3 * BLOCK + 7, 1).set(9 * BLOCK + 1, 2);
    assert.deepEqual(await readOut(await store.open(id)), STATE);
    assert.deepEqual(backend.rereads, [3 * BLOCK, 9 * BLOCK, 9 * BLOCK]);
    assert.equal(backend.openStates, 0);
  });

  it("is read again in a part of a state, too", async () => {
    const { backend, store, id } = await makeStore();
    backend.noise.set(2 * BLOCK, 1);
    const source = await store.open(id, { start: 2 * BLOCK + 5, end: 1200 });
    assert.deepEqual(await readOut(source), STATE.slice(2 * BLOCK + 5, 1200));
  });

  it("is read again by verify()", async () => {
    const { backend, store, id } = await makeStore();
    backend.noise.set(5 * BLOCK, 1);
    const { ok, badOffsets } = await store.verify(id);
    assert.deepEqual([ok, badOffsets], [true, []]);
    assert.deepEqual(backend.rereads, [5 * BLOCK]);
  });

  it("is an error that names it when it stays damaged", async () => {
    const { backend, store, id } = await makeStore();
    backend.noise.set(3 * BLOCK + 7, Infinity);
    const isBlock3 = (error: unknown) => {
      assert.ok(error instanceof SnapshotCorruptError);
      assert.deepEqual([error.reason, error.offset], ["block", 3 * BLOCK]);
      return true;
    };
    await assert.rejects(async () => readOut(await store.open(id)), isBlock3);
    const { badOffsets } = await store.verify(id);
    assert.deepEqual(badOffsets, [3 * BLOCK]);
    assert.equal(backend.rereads.length, 6);
    assert.equal(backend.openStates, 0);
  });

  it("is an error at once where bytes can't be read again", async () => {
    const { backend, store, id } = await makeStore();
    backend.canReread = false;
    backend.noise.set(3 * BLOCK + 7, 1);
    const reading = async () => readOut(await store.open(id));
    await assert.rejects(reading, SnapshotCorruptError);
  });

  it("does not keep close() of the store when it never comes again", async () => {
    const { backend, store, id } = await makeStore();
    const openState = backend.openState.bind(backend);
    let isAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => isAsked = resolve);
    backend.openState = async (id) => ({
      ...await openState(id),
      reread() {
        isAsked();
        return new Promise(() => {});
      },
    });
    backend.noise.set(0, 1);
    const reading = readOut(await store.open(id));
    const ended = assert.rejects(reading);
    await asked;
    await store.close();
    await ended;
  });
});

describe("a state without block checksums that arrives damaged", () => {
  it("is read again as a whole, once", async () => {
    const { backend, store, id } = await makeStore();
    backend.removePart(id, "blocks.crc64");
    backend.noise.set(700, 1);
    assert.equal((await store.verify(id)).ok, true);
    backend.noise.set(700, 1);
    assert.deepEqual(await readOut(await store.open(id)), STATE);
    backend.noise.set(700, 2);
    assert.equal((await store.verify(id)).ok, false);
  });

  it("is copied again from its start, once", async () => {
    for (const [times, isCopied] of [[1, true], [2, false]] as const) {
      const { backend, store, id } = await makeStore();
      backend.removePart(id, "blocks.crc64");
      backend.noise.set(700, times);
      const target = new MemorySnapshotStore();
      const copying = copySnapshot(store, id, target);
      if (!isCopied) await assert.rejects(copying, SnapshotCorruptError);
      else await copying;
      const listed = await target.list();
      assert.equal(listed.length, isCopied ? 1 : 0);
      if (listed[0] === undefined) continue;
      assert.deepEqual(await readOut(await target.open(listed[0].id)), STATE);
    }
  });
});
