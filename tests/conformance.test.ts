/**
 * The suite for every store, on every store of ours.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DiscardSnapshotStore,
  MemorySnapshotStore,
  openFileSnapshotStore,
  type SnapshotMeta,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import {
  type ConformanceCheck,
  MemoryFileSystem,
  snapshotStoreConformance,
} from "@raft/snapshots/testing";
import { temporaryDirectory } from "./support/temporary_directory.ts";

const retain = 3;

function declare(name: string, checks: readonly ConformanceCheck[]): void {
  describe(name, () => {
    for (const check of checks) it(check.name, check.run);
  });
}

declare(
  "a file store on a disk",
  snapshotStoreConformance(async () =>
    await openFileSnapshotStore(await temporaryDirectory(), { retain })
  ),
);

declare(
  "a file store on a disk, with small blocks",
  snapshotStoreConformance(async () =>
    await openFileSnapshotStore(await temporaryDirectory(), {
      retain,
      blockSize: 512,
    })
  ),
);

declare(
  "a file store in memory",
  snapshotStoreConformance(() =>
    openFileSnapshotStore("/data", {
      retain,
      fileSystem: new MemoryFileSystem(),
    })
  ),
);

declare(
  "a memory store",
  snapshotStoreConformance(() => new MemorySnapshotStore(), {
    keeps: "newest",
  }),
);

declare(
  "a discard store",
  snapshotStoreConformance(() => new DiscardSnapshotStore(), {
    keeps: "nothing",
  }),
);

/** Stores with one thing wrong with them, and what must find it. */
const MUTANTS: Readonly<
  Record<string, (store: MemorySnapshotStore) => SnapshotStore>
> = {
  "lists what is not closed": (store) => {
    const begun: SnapshotMeta[] = [];
    return wrap(store, {
      async create(init) {
        const sink = await store.create(init);
        begun.push(sink.meta);
        return sink;
      },
      list: () => Promise.resolve(begun.slice(-1)),
    });
  },
  "hands out other bytes": (store) =>
    wrap(store, {
      async open(id, options) {
        const source = await store.open(id, options);
        const flip = new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            controller.enqueue(chunk.map((byte) => byte ^ 1));
          },
        });
        return Object.assign(source.pipeThrough(flip), {
          meta: source.meta,
        }) as SnapshotSource;
      },
    }),
  "opens whatever it is asked for": (store) =>
    wrap(store, {
      async open(id, options) {
        const [newest] = await store.list();
        return await store.open(newest?.id ?? id, options);
      },
    }),
  "loses the low bits of large numbers": (store) =>
    wrap(store, {
      create: (init) =>
        store.create({ ...init, term: BigInt(Number(init.term)) & ~1n }),
    }),
  "forgets that a close has failed": (store) =>
    wrap(store, {
      async create(init) {
        const sink = await store.create(init);
        const close = sink.close.bind(sink);
        sink.close = () => close().catch(() => {});
        return sink;
      },
    }),
  "does not heed a signal": (store) =>
    wrap(store, { open: (id) => store.open(id) }),
};

function wrap(
  store: SnapshotStore,
  changes: Partial<SnapshotStore>,
): SnapshotStore {
  return {
    create: (init) => store.create(init),
    list: () => store.list(),
    open: (id, options) => store.open(id, options),
    restore: (restore) => store.restore(restore),
    verify: (id, options) => store.verify(id, options),
    seal: (id, options) => store.seal(id, options),
    reap: () => store.reap(),
    delete: (id) => store.delete(id),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    ...changes,
  };
}

describe("the conformance suite", () => {
  for (const [fault, mutate] of Object.entries(MUTANTS)) {
    it(`finds a store that ${fault}`, async () => {
      const checks = snapshotStoreConformance(
        () => mutate(new MemorySnapshotStore()),
        { keeps: "newest" },
      );
      const failed: string[] = [];
      for (const { name, run } of checks) {
        await run().catch(() => failed.push(name));
      }
      assert.ok(failed.length > 0);
      assert.ok(failed.length < checks.length, "not everything is wrong");
    });
  }

  it("makes a store for each check, and disposes of it", async () => {
    let made = 0;
    let disposed = 0;
    const checks = snapshotStoreConformance(() => {
      made++;
      return Object.assign(new DiscardSnapshotStore(), {
        [Symbol.asyncDispose]: () => Promise.resolve(void disposed++),
      });
    }, { keeps: "nothing" });
    assert.equal(made, 0);
    for (const { run } of checks) await run();
    assert.equal(made, checks.length);
    assert.equal(disposed, checks.length);
  });
});
