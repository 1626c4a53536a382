/**
 * Reading a corrupt state, in each of the modes.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type OpenOptions,
  SnapshotCorruptError,
  type SnapshotStore,
  type VerifyMode,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import { bytes } from "../support/random.ts";
import {
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

const BLOCK = 512;
/** Nine blocks, and a part of a tenth. Two at a time are read. */
const STATE = bytes(9 * BLOCK + 100, 1);
const MODES: readonly VerifyMode[] = ["auto", "before", "stream"];

/** The bytes that a reader got, and how the source ended. */
interface Reading {
  readonly got: Uint8Array;
  readonly error: unknown;
  /** Whether `open()` itself has rejected. */
  readonly refused: boolean;
}

async function readUntilItFails(
  store: SnapshotStore,
  id: string,
  options: OpenOptions,
): Promise<Reading> {
  let source;
  try {
    source = await store.open(id, options);
  } catch (error) {
    return { got: new Uint8Array(), error, refused: true };
  }
  const got: number[] = [];
  try {
    for await (const chunk of source) {
      got.push(...chunk);
      // The bytes beyond a view can be read, too.
      assert.equal(chunk.buffer.byteLength, chunk.length);
    }
    return { got: Uint8Array.from(got), error: undefined, refused: false };
  } catch (error) {
    return { got: Uint8Array.from(got), error, refused: false };
  }
}

async function makeFixture(options: { sealed: boolean }) {
  const fixture = new StoreFixture();
  const store = await fixture.open({ blockSize: BLOCK });
  const id = await save(store, STATE);
  if (!options.sealed) await fixture.unseal(id);
  return { fixture, store, id };
}

/** The expected outcome for a state whose block of that number is bad. */
function expectation(verify: VerifyMode, sealed: boolean, block: number) {
  if (verify !== "before" && sealed) {
    return { refused: false, reason: "block", size: block * BLOCK };
  }
  if (verify === "stream") {
    return { refused: false, reason: "crc", size: 8 * BLOCK };
  }
  return { refused: true, reason: sealed ? "block" : "crc", size: 0 };
}

for (const sealed of [true, false]) {
  const whose = sealed ? "a snapshot of ours" : "a snapshot that Go wrote";
  describe(whose, () => {
    for (const verify of MODES) {
      it(`is read whole with verify: "${verify}"`, async () => {
        const { fixture, store, id } = await makeFixture({ sealed });
        const { got, error } = await readUntilItFails(store, id, { verify });
        assert.equal(error, undefined);
        assert.deepEqual(got, STATE);
        await until(() => fixture.openHandles === 0, "it is closed");
        await store.close();
      });

      for (const block of [0, 3, 6, 9]) {
        const { refused, reason, size } = expectation(verify, sealed, block);
        const what = refused ? "refused" : `read for ${size} bytes`;
        it(`is ${what} when block ${block} is bad, with verify: "${verify}"`, async () => {
          const { fixture, store, id } = await makeFixture({ sealed });
          fixture.corrupt(id, block * BLOCK + 7);
          const reading = await readUntilItFails(store, id, { verify });
          assert.equal(reading.refused, refused);
          assert.ok(reading.error instanceof SnapshotCorruptError);
          assert.equal(reading.error.reason, reason);
          const offset = reason === "block" ? block * BLOCK : undefined;
          assert.equal(reading.error.offset, offset);
          assert.equal(reading.got.length, size);
          if (verify !== "stream" || sealed) {
            assert.deepEqual(reading.got, STATE.slice(0, size));
          }
          await until(() => fixture.openHandles === 0, "it is closed");
          await store.close();
        });
      }

      it(`is refused when its state is longer or shorter, with verify: "${verify}"`, async () => {
        for (const length of [0, STATE.length - 1, STATE.length + 1]) {
          const { fixture, store, id } = await makeFixture({ sealed });
          const state = new Uint8Array(length);
          state.set(STATE.subarray(0, length));
          fixture.write(id, "state.bin", state);
          const { error, refused } = await readUntilItFails(store, id, {
            verify,
          });
          assert.equal(refused, true);
          assert.ok(error instanceof SnapshotCorruptError);
          assert.deepEqual(
            [error.reason, error.expected, error.actual],
            ["size", STATE.length, length],
          );
          await store.close();
        }
      });

      it(`errors when its state is truncated while it is read, with verify: "${verify}"`, async () => {
        const { fixture, store, id } = await makeFixture({ sealed });
        const source = await store.open(id, { verify });
        const reader = source.getReader();
        await reader.read();
        const path = `${SNAPSHOTS}/${id}/state.bin`;
        fixture.disk.writeFile(path, new Uint8Array());
        await assert.rejects(
          async () => {
            while (!(await reader.read()).done);
          },
          (error) => {
            assert.ok(error instanceof SnapshotCorruptError);
            assert.equal(error.reason, "size");
            return true;
          },
        );
        await until(() => fixture.openHandles === 0, "it is closed");
        await store.close();
      });
    }
  });
}

describe("the state's checksums", () => {
  it("are compared with the bytes that the reader gets, not with an earlier read", async () => {
    for (const sealed of [true, false]) {
      for (const verify of MODES) {
        const { fixture, store, id } = await makeFixture({ sealed });
        const source = await store.open(id, { verify });
        // Block 9 has not been read for the second time by now.
        const path = `${SNAPSHOTS}/${id}/state.bin`;
        const changed = STATE.slice();
        changed[9 * BLOCK] = (changed[9 * BLOCK] ?? 0) ^ 1;
        fixture.disk.writeFile(path, changed);
        await assert.rejects(
          new Response(source).arrayBuffer(),
          SnapshotCorruptError,
          `${verify}, ${sealed}`,
        );
        await store.close();
      }
    }
  });

  it("may be damaged, because the state's own CRC is checked, too", async () => {
    for (const verify of MODES) {
      const { fixture, store, id } = await makeFixture({ sealed: true });
      fixture.corrupt(id, 20, "blocks.crc64");
      const { got, error } = await readUntilItFails(store, id, { verify });
      assert.equal(error, undefined);
      assert.deepEqual(got, STATE);
      assert.ok(fixture.log.matching("warn", id).length > 0);
      await store.close();
    }
  });

  it("may be another snapshot's, because the state's own CRC is checked, too", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    const other = await save(store, bytes(STATE.length, 2));
    // The state and its checksums agree with each other, not with meta.json.
    fixture.write(id, "state.bin", fixture.read(other, "state.bin"));
    const blocks = fixture.read(other, "blocks.crc64");
    const mine = fixture.read(id, "blocks.crc64");
    blocks.set(mine.subarray(32, 40), 32); // the CRC of meta.json
    const end = blocks.length - 8;
    new DataView(blocks.buffer).setBigUint64(
      end,
      crc64(blocks.subarray(0, end)),
    );
    fixture.write(id, "blocks.crc64", blocks);
    for (const verify of MODES) {
      const { got, error } = await readUntilItFails(store, id, { verify });
      assert.ok(error instanceof SnapshotCorruptError);
      assert.equal(error.reason, "crc");
      assert.ok(got.length < STATE.length);
    }
    await store.close();
  });

  it("detect a changed meta.json", async () => {
    const { fixture, store, id } = await makeFixture({ sealed: true });
    const meta = new TextDecoder().decode(fixture.read(id, "meta.json"));
    fixture.write(id, "meta.json", meta.replace("over here", "over hers"));
    await assert.rejects(store.open(id), (error) => {
      assert.ok(error instanceof SnapshotCorruptError);
      assert.equal(error.reason, "meta");
      return true;
    });
    assert.deepEqual(await store.list(), []);
    await store.close();
  });
});

describe("open()", () => {
  it("rejects an unknown mode", async () => {
    const { store, id } = await makeFixture({ sealed: true });
    for (const verify of ["never", "", 1, true]) {
      const options = { verify } as unknown as OpenOptions;
      await assert.rejects(store.open(id, options), TypeError);
    }
    await store.close();
  });
});
