/**
 * verify(): it reads every byte, and reports all damage.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { Progress } from "@raft/snapshots";
import { decode, save, until } from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";
import { onEachPlace, type Place } from "./places.ts";

const BLOCK = 512;
const STATE = bytes(5 * BLOCK + 100, 1);

async function setUp(place: Place) {
  const store = await place.open({ blockSize: BLOCK });
  const id = await save(store, STATE);
  return { place, store, id };
}

onEachPlace("verify()", (makePlace) => {
  it("respects a signal that has aborted before, also for an empty state", async () => {
    const { place, store } = await setUp(makePlace());
    const id = await save(store, "", { index: 20 });
    await place.unseal(id);
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
    const { place, store, id } = await setUp(makePlace());
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
    await place.unseal(id);
    assert.deepEqual(await store.verify(id), { ...report, sealed: false });
    assert.equal(place.openStates, 0);
    await store.close();
  });

  it("reports an empty state", async () => {
    const { store } = await setUp(makePlace());
    const id = await save(store, "");
    const { ok, blockCount } = await store.verify(id);
    assert.deepEqual([ok, blockCount], [true, 0]);
    await store.close();
  });

  it("reports the places of all bad blocks", async () => {
    const { place, store, id } = await setUp(makePlace());
    for (const block of [0, 2, 5]) await place.corrupt(id, block * BLOCK + 9);
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.deepEqual(report.badOffsets, [0, 2 * BLOCK, 5 * BLOCK]);
    assert.equal(report.errors.length, 1);
    assert.equal(report.errors[0]?.reason, "block");
    assert.equal(report.errors[0]?.offset, 0);
    assert.equal(typeof report.errors[0]?.expected, "bigint");
    assert.equal(report.meta?.id, id);
    assert.equal(place.openStates, 0);
    await store.close();
  });

  it("reports only that the state is wrong without block checksums", async () => {
    const { place, store, id } = await setUp(makePlace());
    await place.corrupt(id, 2 * BLOCK);
    await place.unseal(id);
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.deepEqual(report.badOffsets, []);
    assert.equal(report.errors[0]?.reason, "crc");
    assert.equal(report.errors[0]?.expected, report.meta?.crc);
    await store.close();
  });

  it("reports checksums that are damaged themselves", async () => {
    const { place, store, id } = await setUp(makePlace());
    await place.corrupt(id, 30, "blocks.crc64");
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.equal(report.sealed, false);
    assert.equal(report.errors[0]?.reason, "block");
    await store.close();
  });

  it("reports a state of another length", async () => {
    const { place, store, id } = await setUp(makePlace());
    place.write(id, "state.bin", STATE.subarray(1));
    const report = await store.verify(id);
    assert.equal(report.ok, false);
    assert.equal(report.errors[0]?.reason, "size");
    assert.equal(report.errors[0]?.expected, STATE.length);
    assert.equal(report.errors[0]?.actual, STATE.length - 1);
    assert.equal(report.meta?.id, id);
    await store.close();
  });

  it("reports metadata that can't be trusted", async () => {
    const { place, store, id } = await setUp(makePlace());
    const good = decode(await place.read(id, "meta.json"));
    for (
      const text of ["", "{}", good.replace(id, "9-9-9"), good.slice(0, 99)]
    ) {
      place.write(id, "meta.json", text);
      const report = await store.verify(id);
      assert.equal(report.ok, false);
      assert.equal(report.meta, undefined);
      assert.equal(report.errors[0]?.reason, "meta");
    }
    await store.close();
  });

  it("changes its result when a good snapshot becomes bad, and back", async () => {
    const { place, store, id } = await setUp(makePlace());
    await place.corrupt(id);
    assert.equal((await store.verify(id)).ok, false);
    await place.corrupt(id); // the same bit again
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("reports its progress, and stops when the signal aborts", async () => {
    const { place, store, id } = await setUp(makePlace());
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
    await until(() => place.openStates === 0, "the state is closed");
    await store.close();
  });
});
