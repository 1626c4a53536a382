import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyValueStore } from "../../examples/key_value_store.ts";
import { freshSeed, type Random, random } from "../support/random.ts";

function filled(keys: number): KeyValueStore {
  const store = new KeyValueStore();
  for (let i = 0; i < keys; i++) {
    store.apply({ op: "set", key: `schlüssel:${i}`, value: `🦉${i}` });
  }
  return store;
}

async function bytesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Writes the bytes in pieces of random lengths. */
async function restore(
  store: KeyValueStore,
  state: Uint8Array,
  pieces: Random,
): Promise<void> {
  const writer = store.restore().getWriter();
  for (let at = 0; at < state.length;) {
    const length = pieces.integer(40);
    await writer.write(state.subarray(at, at + length));
    at += length;
  }
  await writer.close();
}

describe("the key-value store of the examples", () => {
  it("is restored from its snapshot, wherever the stream is cut into chunks", async () => {
    const seed = freshSeed();
    const before = filled(500);
    before.apply({ op: "delete", key: "schlüssel:7" });
    before.apply({ op: "set", key: "", value: "" });
    before.apply({ op: "set", key: "long", value: "€".repeat(3_000) });
    const state = await bytesOf(before.snapshot());
    const after = new KeyValueStore();
    await restore(after, state, random(seed));
    const message = `SEED=${seed}`;
    assert.equal(after.size, 501, message);
    assert.equal(after.get("schlüssel:8"), "🦉8", message);
    assert.equal(after.get("schlüssel:7"), undefined, message);
    assert.equal(after.get(""), "", message);
    assert.deepEqual(await bytesOf(after.snapshot()), state, message);
  });

  it("can be empty", async () => {
    const after = filled(3);
    await new KeyValueStore().snapshot().pipeTo(after.restore());
    assert.equal(after.size, 0);
  });

  it("applies commands while a snapshot is taken", async () => {
    const store = filled(3);
    const snapshot = store.snapshot();
    store.apply({ op: "set", key: "schlüssel:1", value: "later" });
    store.apply({ op: "delete", key: "schlüssel:2" });
    const copy = new KeyValueStore();
    await snapshot.pipeTo(copy.restore());
    assert.deepEqual([copy.size, copy.get("schlüssel:1")], [3, "🦉1"]);
    assert.deepEqual([store.size, store.get("schlüssel:1")], [2, "later"]);
  });

  it("keeps the old state until the new one is complete", async () => {
    const state = await bytesOf(filled(3).snapshot());
    const store = filled(1);
    for (let length = 0; length < state.length; length++) {
      const writer = store.restore().getWriter();
      await writer.write(state.subarray(0, length));
      await assert.rejects(writer.close(), /the stream ended after/);
      assert.equal(store.size, 1);
    }
    const aborted = store.restore().getWriter();
    await aborted.write(state);
    await aborted.abort(new Error("no"));
    assert.equal(store.size, 1);
  });

  it("rejects bytes after the end, and invalid lengths", async () => {
    const state = await bytesOf(filled(3).snapshot());
    const store = filled(1);
    const longer = store.restore().getWriter();
    await assert.rejects(
      longer.write(new Uint8Array([...state, 0])),
      /after its/,
    );
    // How many keys there are, then a block: its keys, its size, two lengths.
    for (
      const numbers of [
        [1, 2, 0],
        [1, 0, 0],
        [1, 1, 2 ** 32 - 1],
        [1, 1, 0, 1, 0],
      ]
    ) {
      const damaged = store.restore().getWriter();
      const bytes = new Uint8Array(Uint32Array.from(numbers).buffer);
      await assert.rejects(damaged.write(bytes), RangeError);
    }
    assert.equal(store.size, 1);
  });

  it("rejects a string that a snapshot could not restore", () => {
    const store = new KeyValueStore();
    const value = "x".repeat(1024 * 1024);
    const command = { op: "set", key: "k", value } as const;
    assert.throws(() => store.apply(command), RangeError);
    assert.equal(store.size, 0);
  });

  it("encodes no faster than it is read", async () => {
    const reader = filled(200_000).snapshot().getReader();
    await reader.read();
    const { value } = await reader.read();
    assert.ok(value && value.length <= 256 * 1024);
    await reader.cancel();
    assert.deepEqual(await reader.read(), { done: true, value: undefined });
  });
});
