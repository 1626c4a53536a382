/**
 * A `blocks.crc64` whose own checksum is right, and which still does not fit
 * the snapshot that it lies in; and one that shows another file to be changed.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotCorruptError } from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import {
  type BlockChecksums,
  encodeBlocks,
} from "../../src/snapshot/block_checksums.ts";
import { bytes } from "../support/random.ts";
import {
  decode,
  listIds,
  save,
  StoreFixture,
} from "../support/store_fixture.ts";

const BLOCK = 512;
const STATE = bytes(4 * BLOCK, 1);

/** The checksums of a state in blocks of that length. */
function checksumsOf(
  state: Uint8Array,
  meta: Uint8Array,
  blockSize = BLOCK,
): BlockChecksums {
  const count = Math.ceil(state.length / blockSize);
  return {
    blockSize,
    stateSize: state.length,
    metaCrc: crc64(meta),
    crcs: BigUint64Array.from(
      { length: count },
      (_, i) => crc64(state.subarray(i * blockSize, (i + 1) * blockSize)),
    ),
  };
}

/** A snapshot whose `blocks.crc64` is replaced by another that is whole. */
async function setUp(
  make: (meta: Uint8Array) => BlockChecksums,
) {
  const fixture = new StoreFixture();
  const store = await fixture.open({ blockSize: BLOCK });
  const id = await save(store, STATE);
  const blocks = make(fixture.read(id, "meta.json"));
  fixture.write(id, "blocks.crc64", encodeBlocks(blocks));
  return { fixture, store, id };
}

/** They are not used: the whole is checked instead, and verify() names them. */
async function assertNotUsed(
  { fixture, store, id }: Awaited<ReturnType<typeof setUp>>,
  why: RegExp,
) {
  assert.deepEqual(await listIds(store), [id]);
  assert.match(fixture.log.matching("warn")[0] ?? "", why);
  for (const range of [{}, { start: BLOCK + 7, end: 3 * BLOCK }]) {
    const source = await store.open(id, range);
    const read = await new Response(source).arrayBuffer();
    const { start, end } = { start: 0, end: STATE.length, ...range };
    assert.deepEqual(new Uint8Array(read), STATE.slice(start, end));
  }
  const report = await store.verify(id);
  assert.deepEqual([report.ok, report.sealed], [false, false]);
  assert.equal(report.errors[0]?.reason, "block");
  assert.match(report.errors[0]?.message ?? "", why);
  await store.close();
}

describe("block checksums", () => {
  it("are used when they are of the same snapshot", async () => {
    const { store, id } = await setUp((meta) => checksumsOf(STATE, meta));
    const { ok, sealed, blockCount } = await store.verify(id);
    assert.deepEqual([ok, sealed, blockCount], [true, true, 4]);
    await store.close();
  });

  it("are not used when they are of a longer or shorter state", async () => {
    const longer = bytes(6 * BLOCK, 1);
    longer.set(STATE);
    // All that they say of the blocks that are there is true.
    for (const state of [longer, STATE.subarray(0, 3 * BLOCK + 1)]) {
      const setting = await setUp((meta) => checksumsOf(state, meta));
      await assertNotUsed(setting, /state size in blocks\.crc64/);
    }
  });

  it("are not used when their blocks are too small or too large", async () => {
    for (
      const blockSize of [1, 511, 64 * 1024 * 1024 + 1, 2 ** 31, 2 ** 32 - 1]
    ) {
      const setting = await setUp((meta) =>
        checksumsOf(STATE, meta, blockSize)
      );
      await assertNotUsed(setting, /block size of blocks\.crc64/);
    }
  });

  it("show that a version in meta.json came from a changed bit", async () => {
    for (const version of ["3", "5", "9"]) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      await save(store, "old", { index: 1n });
      const id = await save(store, "state", { index: 2n });
      const meta = decode(fixture.read(id, "meta.json"));
      const changed = meta.replace('"Version":1', `"Version":${version}`);
      assert.notEqual(changed, meta);
      fixture.write(id, "meta.json", changed);
      await assert.rejects(store.open(id), (error) => {
        assert.ok(error instanceof SnapshotCorruptError);
        assert.equal(error.reason, "meta");
        return true;
      });
      const report = await store.verify(id);
      assert.deepEqual([report.ok, report.errors[0]?.reason], [false, "meta"]);
      await store.restore((source) => new Response(source).text());
      assert.ok(fixture.names().includes(`${id}.corrupt.tmp`), version);
      await store.close();
    }
  });
});
