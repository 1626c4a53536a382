/**
 * A snapshot counts as restored when the caller's function has read it, not when
 * the function only says so.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SnapshotCorruptError, type SnapshotSource } from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import { encodeBlocks } from "../../src/snapshot/block_checksums.ts";
import {
  decode,
  encode,
  letOthersWork,
  listIds,
  load,
  save,
  until,
} from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { onEachPlace, type Place } from "./places.ts";

const BLOCK = 512;
/** Bytes of a chunk of a source. */
const CHUNK = 2 * BLOCK;
const SIZE = 3 * CHUNK + 1;
const STATE = bytes(SIZE, 1);

/** A store with two snapshots, of which the newer has `state`. */
async function setUp(place: Place, state: Uint8Array = STATE) {
  const store = await place.open({ retain: 100, blockSize: BLOCK });
  const old = await save(store, "old", { index: 1 });
  const id = await save(store, state, { index: 2 });
  return { store, old, id };
}

type Use = (source: SnapshotSource) => unknown;

const ignore = () => {};

/** Reads until the condition holds. */
async function readUntil(
  source: SnapshotSource,
  condition: (done: number) => boolean,
) {
  const reader = source.getReader();
  for (let done = 0; !condition(done);) {
    done += (await reader.read()).value?.length ?? 0;
  }
  return reader;
}

/** Each way to settle too early, and the bytes that were read by then. */
const EARLY: Readonly<Record<string, readonly [use: Use, taken: number]>> = {
  "returns without having read": [() => {}, 0],
  "does not await its pipe": [
    (source) => {
      source.pipeTo(new WritableStream()).catch(ignore);
    },
    0,
  ],
  "does not await its read": [
    (source) => {
      const reading = async () => {
        for await (const _chunk of source) await setImmediate();
      };
      reading().catch(ignore);
    },
    0,
  ],
  "reads one chunk": [
    async (source) => {
      await source.getReader().read();
    },
    CHUNK,
  ],
  "reads all but the last chunk": [
    (source) => readUntil(source, (done) => done === 3 * CHUNK),
    3 * CHUNK,
  ],
  "breaks out of the loop that reads": [
    async (source) => {
      for await (const _chunk of source) break;
    },
    CHUNK,
  ],
  "cancels without a reason": [(source) => source.cancel(), 0],
  "cancels with null, as a Node stream does": [
    (source) => source.cancel(null),
    0,
  ],
  "cancels both halves without a reason": [
    async (source) => {
      await Promise.all(source.tee().map((half) => half.cancel()));
    },
    0,
  ],
  "reads no half after tee()": [
    async (source) => {
      source.tee();
      await letOthersWork();
    },
    // tee() itself asks for a chunk.
    CHUNK,
  ],
  "asks for a chunk, and takes its request back": [
    async (source) => {
      const reader = source.getReader();
      reader.read().catch(ignore);
      await Promise.resolve();
      reader.releaseLock();
      await letOthersWork();
    },
    0,
  ],
};

/** Each way to have read a snapshot. */
const READ: Readonly<Record<string, Use>> = {
  "returns a promise without being async": (source) =>
    new Response(source).text(),
  "awaits its pipe": async (source) => {
    await source.pipeTo(new WritableStream());
  },
  "loops to the end": async (source) => {
    for await (const _chunk of source);
  },
  "knows the size, and does not ask for the end": (source) =>
    readUntil(source, (done) => done === SIZE),
  "cancels without a reason after the last byte": async (source) => {
    const reader = await readUntil(source, (done) => done === SIZE);
    await reader.cancel();
  },
  "cancels with a reason": (source) => source.cancel("the rest is the same"),
  "cancels with a reason, and does not await that": (source) => {
    source.cancel("the rest is the same").catch(ignore);
  },
  "cancels with a reason after a part": async (source) => {
    const reader = await readUntil(source, (done) => done > 0);
    await reader.cancel(new Error("the rest is the same"));
  },
  "reads both halves of tee()": (source) =>
    Promise.all(source.tee().map((half) => new Response(half).text())),
  "reads one half of tee(), and cancels the other": async (source) => {
    const [one, other] = source.tee();
    // It settles when both are done.
    other.cancel().catch(ignore);
    await new Response(one).text();
  },
  "cancels one half of tee() with a reason": async (source) => {
    const [one, other] = source.tee();
    await Promise.all([one.cancel("the rest is the same"), other.cancel()]);
  },
};

onEachPlace("restore()", (makePlace) => {
  for (const [what, [use, taken]] of Object.entries(EARLY)) {
    it(`rejects a function that ${what}`, async () => {
      const place = makePlace();
      const { store, old, id } = await setUp(place);
      const tried: string[] = [];
      await assert.rejects(
        store.restore((source) => {
          tried.push(source.meta.id);
          return use(source);
        }),
        {
          name: "TypeError",
          message: `Cannot take snapshot ${id} as restored: the function ` +
            `given to restore() settled after ${taken} of ${SIZE} bytes were ` +
            "read, expected all; return or await the promise of the read, or " +
            "cancel the source with a reason",
        },
      );
      assert.deepEqual(tried, [id], "no older snapshot is tried");
      assert.deepEqual(await listIds(store), [id, old], "none is quarantined");
      assert.deepEqual(place.log.matching("warn"), []);
      await until(() => place.openStates === 0, "the state is closed");
      await store.close();
    });
  }

  for (const [what, use] of Object.entries(READ)) {
    it(`accepts a function that ${what}`, async () => {
      const place = makePlace();
      const { store, id } = await setUp(place);
      const restored = await store.restore(use);
      assert.equal(restored?.meta.id, id);
      assert.deepEqual(restored.skipped, []);
      await until(() => place.openStates === 0, "the state is closed");
      await store.close();
    });
  }

  for (const reason of [undefined, "the rest is the same"]) {
    const how = reason === undefined ? "without a reason" : "with a reason";
    it(`lets a cancel() ${how} succeed that the function did not await`, async () => {
      const { store } = await setUp(makePlace());
      let cancelled: Promise<unknown> = Promise.resolve();
      const cancel = (source: SnapshotSource) => {
        cancelled = source.cancel(reason).catch((error) => error);
      };
      await store.restore(cancel).catch(ignore);
      // A rejection would be unhandled in such a program, and end it.
      assert.equal(await cancelled, undefined);
      await store.close();
    });
  }

  it("accepts a function that has another thread read all", {
    skip: runtime.name === "bun" && "can't transfer streams",
  }, async () => {
    const { store, id } = await setUp(makePlace());
    const restored = await store.restore((source) =>
      new Response(structuredClone(source, { transfer: [source] })).text()
    );
    assert.equal(restored?.meta.id, id);
    await store.close();
  });

  it("rejects a function that does not await the other thread", {
    skip: runtime.name === "bun" && "can't transfer streams",
  }, async () => {
    const { store } = await setUp(makePlace());
    const restoring = store.restore((source) => {
      const moved = structuredClone(source, { transfer: [source] });
      new Response(moved).text().catch(ignore);
    });
    await assert.rejects(restoring, {
      name: "TypeError",
      message: /settled after 0 of \d+ bytes/,
    });
    await store.close();
  });

  it("fails pending reads with the reason that it rejects with", async () => {
    const { store } = await setUp(makePlace());
    const aborts: unknown[] = [];
    let reading: Promise<unknown> = Promise.resolve();
    const reason = await store.restore((source) => {
      const target = new WritableStream({
        write: () => letOthersWork(),
        abort: (error) => void aborts.push(error),
      });
      reading = source.pipeTo(target).catch((error) => error);
    }).catch((error) => error);
    assert.ok(reason instanceof TypeError);
    assert.equal(await reading, reason);
    assert.deepEqual(aborts, [reason]);
    await store.close();
  });

  it("takes an empty state as restored, whether it is read or not", async () => {
    const { store, id } = await setUp(makePlace(), new Uint8Array());
    const uses: Use[] = [
      () => {},
      (source) => source.cancel(),
      (source) => new Response(source).text(),
    ];
    for (const use of uses) {
      assert.equal((await store.restore(use))?.meta.id, id);
    }
    await store.close();
  });

  it("does not take an empty state as restored when its CRC is not that of nothing", async () => {
    const place = makePlace();
    const { store, old, id } = await setUp(place, new Uint8Array());
    const meta = encode(
      decode(await place.read(id, "meta.json"))
        .replace(/"CRC":"[^"]*"/, '"CRC":"AAAAAAAAAAE="'),
    );
    const blocks = encodeBlocks({
      blockSize: BLOCK,
      stateSize: 0,
      metaCrc: crc64(meta),
      crcs: new BigUint64Array(),
    });
    place.write(id, "meta.json", meta);
    place.write(id, "blocks.crc64", blocks);
    const restored = await store.restore((source) =>
      source.meta.id === id ? undefined : new Response(source).text()
    );
    assert.equal(restored?.meta.id, old);
    assert.ok(restored.skipped[0]?.error instanceof SnapshotCorruptError);
    await store.close();
  });

  it("falls back when its function hides that a check has failed", async () => {
    const place = makePlace();
    const { store, old, id } = await setUp(place);
    await place.corrupt(id, SIZE - 1);
    const restored = await store.restore((source) =>
      source.pipeTo(new WritableStream()).catch(ignore)
    );
    assert.equal(restored?.meta.id, old);
    assert.equal(restored.skipped[0]?.id, id);
    assert.ok(restored.skipped[0].error instanceof SnapshotCorruptError);
    assert.deepEqual(await listIds(store), [old], "it is quarantined");
    await store.close();
  });

  it("rejects with a failed check, not with the function's own error", async () => {
    const place = makePlace();
    const { store, old, id } = await setUp(place);
    await place.corrupt(id);
    const restored = await store.restore(async (source) => {
      await new Response(source).text().catch(() => {
        throw new Error("Cannot decode");
      });
    });
    assert.equal(restored?.meta.id, old);
    assert.ok(restored.skipped[0]?.error instanceof SnapshotCorruptError);
    await store.close();
  });

  it("rejects with StoreClosedError when the store is closed and the source is left", async () => {
    const { store } = await setUp(makePlace());
    await assert.rejects(store.restore(() => store.close()), {
      name: "StoreClosedError",
    });
  });

  it("can be called again after it has rejected a function", async () => {
    const { store, id } = await setUp(makePlace());
    await assert.rejects(store.restore(ignore), TypeError);
    let state = "";
    const restored = await store.restore(async (source) => {
      state = await new Response(source).text();
    });
    assert.equal(restored?.meta.id, id);
    assert.equal(state, await load(store, id));
    await store.close();
  });
});
