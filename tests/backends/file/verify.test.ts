/**
 * verify(): every byte is read, and the damage is in the report.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  SnapshotError,
  SnapshotNotFoundError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { bytes } from "../../support/random.ts";
import { decode, save, StoreFixture } from "../../support/store_fixture.ts";

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

  it("rejects for an ID that is unknown or not valid", async () => {
    const { fixture, store, id } = await setUp();
    await assert.rejects(store.verify("3-10-1"), SnapshotNotFoundError);
    await assert.rejects(store.verify("../x"), InvalidSnapshotIdError);
    fixture.files.inject(failOn("read", "EIO", { path: /state\.bin/ }));
    await assert.rejects(store.verify(id), (error) => {
      assert.ok(error instanceof SnapshotError);
      assert.equal(error.systemCode, "EIO");
      return true;
    });
    fixture.files.inject();
    assert.equal(fixture.openHandles, 0);
    const meta = decode(fixture.read(id, "meta.json"));
    await fixture.unseal(id);
    fixture.write(id, "meta.json", meta.replace('"Version":1', '"Version":2'));
    await assert.rejects(store.verify(id), UnsupportedSnapshotVersionError);
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
