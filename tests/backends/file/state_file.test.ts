/**
 * The writer with a state so large that a file which keeps nothing stands for the
 * disk.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotPublishError } from "@raft/snapshots";
import type { FileHandle } from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { StateFile } from "../../../src/backends/file/state_file.ts";
import {
  Gate,
  INIT,
  letOthersWork,
  StoreFixture,
} from "../../support/store_fixture.ts";

const MIB = 1024 * 1024;
const CHUNK = new Uint8Array(MIB);

/** A file that counts its syncs. */
class Drain implements FileHandle {
  syncs = 0;
  written = 0;
  onSync: () => Promise<void> = () => Promise.resolve();
  stat() {
    const size = this.written;
    return Promise.resolve({ kind: "file", size, modifiedMs: 0 } as const);
  }
  read() {
    return Promise.resolve(0);
  }
  write(bytes: Uint8Array) {
    this.written += bytes.length;
    return Promise.resolve(bytes.length);
  }
  sync() {
    this.syncs++;
    return this.onSync();
  }
  close() {
    return Promise.resolve();
  }
}

async function writeMiB(state: StateFile, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await state.append(CHUNK);
}

describe("a large state", () => {
  it("is made durable 64 MiB at a time, while it is being written", async () => {
    const file = new Drain();
    const state = new StateFile(file);
    await writeMiB(state, 63);
    assert.equal(file.syncs, 0);
    await writeMiB(state, 1);
    assert.equal(file.syncs, 1);
    await writeMiB(state, 64);
    assert.equal(file.syncs, 2);
    await state.sync();
    assert.equal(file.syncs, 3);
    assert.equal(file.written, 128 * MIB);
  });

  it("is written without waiting for the disk, and synced once at a time", async () => {
    const file = new Drain();
    const gate = new Gate();
    file.onSync = () => gate.opened;
    const state = new StateFile(file);
    await writeMiB(state, 200);
    assert.equal(file.syncs, 1);
    let finished = false;
    const finishing = state.sync().then(() => finished = true);
    await letOthersWork();
    assert.equal(finished, false, "the file may be closed after this");
    gate.open();
    await finishing;
  });

  it("is discarded without closing the file during a sync", async () => {
    const file = new Drain();
    const gate = new Gate();
    file.onSync = () => gate.opened;
    const state = new StateFile(file);
    await writeMiB(state, 64);
    let stopped = false;
    const stopping = state.idle().then(() => stopped = true);
    await letOthersWork();
    assert.equal(stopped, false);
    gate.open();
    await stopping;
  });

  it("is discarded when such a sync fails, though the next would succeed", async () => {
    const lost = new Error("lost");
    const file = new Drain();
    file.onSync = () => Promise.reject(lost);
    const state = new StateFile(file);
    await writeMiB(state, 64);
    file.onSync = () => Promise.resolve();
    assert.throws(() => void state.append(CHUNK), lost);
    await assert.rejects(state.sync(), lost);
    assert.equal(file.syncs, 1);
    await state.idle();
  });

  it("is not published when such a sync has failed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    const fault = failOn("sync", "EIO", { path: /state\.bin$/, times: 1 });
    fixture.files.inject(fault);
    const outcome = (async () => {
      for (let i = 0; i < 64; i++) await writer.write(CHUNK);
      await writer.close();
    })();
    await assert.rejects(outcome, (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.deepEqual([error.systemCode, error.published], ["EIO", false]);
      return true;
    });
    await assert.rejects(sink.close(), SnapshotPublishError);
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });
});
