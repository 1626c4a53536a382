/**
 * verify(): every byte is read, and what is wrong is in the report.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  type Progress,
  SnapshotError,
  SnapshotNotFoundError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import { decode, save, StoreFixture } from "../support/store_fixture.ts";

const BLOCK = 512;
const STATE = bytes(5 * BLOCK + 100, 1);

async function setUp() {
  const fixture = new StoreFixture();
  const store = await fixture.open({ blockSize: BLOCK });
  const id = await save(store, STATE);
  return { fixture, store, id };
}

describe("verify()", () => {
  it("fails when the block checksums can't be read just now", async () => {
    const { fixture, store, id } = await setUp();
    fixture.files.inject(failOn("open", "EIO", { path: /blocks\.crc64$/ }));
    await assert.rejects(store.verify(id), (error) => {
      assert.ok(error instanceof SnapshotError);
      assert.match(error.message, /blocks\.crc64.*EIO/);
      return true;
    });
    await store.close();
  });

  it("heeds a signal that has aborted before, also for an empty state", async () => {
    const { fixture, store } = await setUp();
    const id = await save(store, "", { index: 20 });
    await fixture.unseal(id);
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(store.verify(id, { signal }), { message: "enough" });
    await assert.rejects(store.seal(id, { signal }), { message: "enough" });
    // First of all: that there is no such snapshot is not asked for any more.
    for (const call of ["verify", "seal"] as const) {
      await assert.rejects(store[call]("1-1-1", { signal }), {
        message: "enough",
      });
    }
    assert.equal((await store.verify(id)).sealed, false);
    await store.close();
  });

  it("reports a good snapshot, of ours or of Go's", async () => {
    const { fixture, store, id } = await setUp();
    const [meta] = await store.list();
    const report = {
      id,
      ok: true,
      meta,
      sealed: true,
      blockSize: BLOCK,
      blockCount: 6,
      badOffsets: [],
      errors: [],
    };
    assert.deepEqual(await store.verify(id), report);
    await fixture.unseal(id);
    assert.deepEqual(await store.verify(id), { ...report, sealed: false });
    assert.equal(fixture.files.openHandles, 0);
    await store.close();
  });

  it("reports an empty state", async () => {
    const { store } = await setUp();
    const id = await save(store, "");
    const { ok, blockCount } = await store.verify(id);
    assert.deepEqual([ok, blockCount], [true, 0]);
    await store.close();
  });

  it("tells where the bad blocks are, all of them", async () => {
    const { fixture, store, id } = await setUp();
    for (const block of [0, 2, 5]) fixture.corrupt(id, block * BLOCK + 9);
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.deepEqual(report.badOffsets, [0, 2 * BLOCK, 5 * BLOCK]);
    assert.equal(report.errors.length, 1);
    assert.equal(report.errors[0]?.reason, "block");
    assert.equal(report.errors[0]?.offset, 0);
    assert.equal(typeof report.errors[0]?.expected, "bigint");
    assert.equal(report.meta?.id, id);
    assert.equal(fixture.files.openHandles, 0);
    await store.close();
  });

  it("knows only that something is wrong without block checksums", async () => {
    const { fixture, store, id } = await setUp();
    fixture.corrupt(id, 2 * BLOCK);
    await fixture.unseal(id);
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.deepEqual(report.badOffsets, []);
    assert.equal(report.errors[0]?.reason, "crc");
    assert.equal(report.errors[0]?.expected, report.meta?.crc);
    await store.close();
  });

  it("reports checksums that are damaged themselves", async () => {
    const { fixture, store, id } = await setUp();
    fixture.corrupt(id, 30, "blocks.crc64");
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.equal(report.sealed, false);
    assert.equal(report.errors[0]?.reason, "block");
    await store.close();
  });

  it("reports a state of another length", async () => {
    const { fixture, store, id } = await setUp();
    fixture.write(id, "state.bin", STATE.subarray(1));
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.equal(report.errors[0]?.reason, "size");
    assert.equal(report.errors[0]?.expected, STATE.length);
    assert.equal(report.errors[0]?.actual, STATE.length - 1);
    assert.equal(report.meta?.id, id);
    await store.close();
  });

  it("reports metadata that can't be trusted", async () => {
    const { fixture, store, id } = await setUp();
    const good = decode(fixture.read(id, "meta.json"));
    for (
      const text of ["", "{}", good.replace(id, "9-9-9"), good.slice(0, 99)]
    ) {
      fixture.write(id, "meta.json", text);
      const report = await store.verify(id);
      assert.equal(report.ok, false);
      assert.equal(report.meta, undefined);
      assert.equal(report.errors[0]?.reason, "meta");
    }
    await store.close();
  });

  it("takes a good verdict back, and a bad one", async () => {
    const { fixture, store, id } = await setUp();
    fixture.corrupt(id);
    assert.equal((await store.verify(id)).ok, false);
    fixture.corrupt(id); // the same bit again
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("rejects when there is nothing to report on", async () => {
    const { fixture, store, id } = await setUp();
    await assert.rejects(store.verify("3-10-1"), SnapshotNotFoundError);
    await assert.rejects(store.verify("../x"), InvalidSnapshotIdError);
    fixture.files.inject(failOn("read", "EIO", { path: /state\.bin/ }));
    await assert.rejects(store.verify(id), (error) => {
      assert.ok(error instanceof SnapshotError);
      assert.equal(error.code, "EIO");
      return true;
    });
    fixture.files.inject();
    assert.equal(fixture.files.openHandles, 0);
    const meta = decode(fixture.read(id, "meta.json"));
    await fixture.unseal(id);
    fixture.write(id, "meta.json", meta.replace('"Version":1', '"Version":2'));
    await assert.rejects(store.verify(id), UnsupportedSnapshotVersionError);
    await store.close();
  });

  it("tells of its progress, and stops when the signal says so", async () => {
    const { fixture, store, id } = await setUp();
    const reports: Progress[] = [];
    await store.verify(id, { onProgress: (it) => void reports.push(it) });
    assert.equal(reports.length, 6);
    assert.deepEqual(
      reports.at(-1),
      { done: STATE.length, total: STATE.length },
    );
    const controller = new AbortController();
    const reason = new Error("enough");
    const checked: number[] = [];
    await assert.rejects(
      store.verify(id, {
        signal: controller.signal,
        onProgress({ done }) {
          checked.push(done);
          if (done >= 2 * BLOCK) controller.abort(reason);
        },
      }),
      reason,
    );
    assert.deepEqual(checked, [BLOCK, 2 * BLOCK]);
    assert.equal(fixture.files.openHandles, 0);
    await store.close();
  });

  it("changes nothing, and works on a store that is only read", async () => {
    const { fixture, store, id } = await setUp();
    fixture.corrupt(id);
    const reader = await fixture.open({ readOnly: true });
    const before = fixture.disk.tree();
    assert.equal((await reader.verify(id)).ok, false);
    assert.deepEqual(fixture.disk.tree(), before);
    await reader.close();
    await store.close();
  });
});
