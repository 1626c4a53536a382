/**
 * The suite for every store, on every store of ours.
 */

import assert from "node:assert/strict";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  DiscardSnapshotStore,
  MemorySnapshotStore,
  NoUsableSnapshotError,
  openFileSnapshotStore,
  SnapshotCorruptError,
  type SnapshotHeader,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotSink,
  type SnapshotSource,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import {
  type ConformanceCheck,
  type ConformanceOptions,
  snapshotStoreConformance,
  type StoreToCheck,
} from "@raft/snapshots/testing";
import { BackedStore } from "../src/store/store.ts";
import { Log, StoreFixture } from "./support/store_fixture.ts";
import { EditableBackend } from "./store/editable_backend.ts";
import { temporaryDirectory } from "./support/temporary_directory.ts";

const retain = 3;
const damages = ["corrupt", "unseal"] as const;
const logger = new Log();

function declare(name: string, checks: readonly ConformanceCheck[]): void {
  describe(name, () => {
    for (const check of checks) it(check.name, check.run);
  });
}

/** A file store on a disk, whose files a check can spoil. */
async function makeOnDisk(blockSize?: number): Promise<StoreToCheck> {
  const directory = await temporaryDirectory();
  const options = { retain, logger, blockSize };
  const pathOf = (id: string, part: string) =>
    join(directory, "snapshots", id, part);
  return {
    store: await openFileSnapshotStore(directory, options),
    async corrupt(id) {
      const path = pathOf(id, "state.bin");
      const state = await readFile(path);
      await writeFile(path, state.map((byte, i) => i === 0 ? byte ^ 1 : byte));
    },
    unseal: (id) => unlink(pathOf(id, "blocks.crc64")),
  };
}

/** A file store on a disk in memory. */
async function makeOnMemoryDisk(): Promise<StoreToCheck> {
  const fixture = new StoreFixture();
  return {
    store: await fixture.open({ retain }),
    corrupt: (id) => fixture.corrupt(id),
    unseal: (id) => fixture.unseal(id),
  };
}

/** A memory store whose snapshots a check can damage. */
function makeInMemory(retain: number): StoreToCheck {
  const backend = new EditableBackend();
  return {
    store: new BackedStore(backend, { retain, logger }),
    corrupt: (id) => backend.corrupt(id),
    unseal: (id) => backend.removePart(id, "blocks.crc64"),
  };
}

declare(
  "a file store on a disk",
  snapshotStoreConformance(() => makeOnDisk(), { retain, damages }),
);

declare(
  "a file store on a disk, with small blocks",
  snapshotStoreConformance(() => makeOnDisk(512), { retain, damages }),
);

declare(
  "a file store in memory",
  snapshotStoreConformance(makeOnMemoryDisk, { retain, damages }),
);

declare(
  "a memory store",
  snapshotStoreConformance(() => new MemorySnapshotStore(), {
    keeps: "newest",
  }),
);

declare(
  "a memory store that retains three",
  snapshotStoreConformance(() => new MemorySnapshotStore({ retain, logger }), {
    retain,
  }),
);

declare(
  "a memory backend",
  snapshotStoreConformance(() => makeInMemory(1), { keeps: "newest", damages }),
);

declare(
  "a memory backend of a store that retains three",
  snapshotStoreConformance(() => makeInMemory(retain), { retain, damages }),
);

declare(
  "a discard store",
  snapshotStoreConformance(() => new DiscardSnapshotStore(), {
    keeps: "nothing",
  }),
);

/** A `list()` of published snapshots alone, for a store with a fault. */
function lister(list: () => Promise<SnapshotMeta[]>): SnapshotStore["list"] {
  return list as unknown as SnapshotStore["list"];
}

/**
 * The difference between a store with one fault and the store that it wraps.
 */
type Mutate = (
  store: SnapshotStore,
  backend: EditableBackend,
) => Partial<SnapshotStore>;

/** Stores with one thing wrong with them, which a check must find. */
const MUTANTS: Readonly<Record<string, Mutate>> = {
  "lists snapshots that are not closed": (store) => {
    const begun: SnapshotMeta[] = [];
    return {
      async create(init) {
        const sink = await store.create(init);
        begun.push(sink.meta);
        return sink;
      },
      list: lister(() => Promise.resolve(begun.slice(-1))),
    };
  },
  "leaves unusable snapshots out of every list": (store) => ({
    list: (async ({ unusable = false } = {}) => {
      const metas = await store.list();
      if (!unusable) return metas;
      return metas.map((meta) => ({ id: meta.id, state: "usable", meta }));
    }) as SnapshotStore["list"],
  }),
  "hands out other bytes": (store) => ({
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
  "opens whatever it is asked for": (store) => ({
    async open(id, options) {
      const [newest] = await store.list();
      return await store.open(newest?.id ?? id, options);
    },
  }),
  "loses the low bits of large numbers": (store) => ({
    create: (init) =>
      store.create({ ...init, term: BigInt(Number(init.term)) & ~1n }),
  }),
  "forgets that a close has failed": (store) => ({
    async create(init) {
      const sink = await store.create(init);
      const close = sink.close.bind(sink);
      sink.close = () => close().catch(() => {});
      return sink;
    },
  }),
  "hands out the header that it keeps": (store) => {
    const kept = new Map<string, SnapshotHeader>();
    return {
      async header(id) {
        const header = kept.get(id) ?? await store.header(id);
        kept.set(id, header);
        return header;
      },
    };
  },
  "gives the header of a snapshot that it does not have": (store) => ({
    async header(id) {
      return await store.header(id).catch(() => ({
        meta: new Uint8Array(),
        blocks: undefined,
      }));
    },
  }),
  "ignores a signal": (store) => ({ open: (id) => store.open(id) }),
  "restores the oldest snapshot": (store) => ({
    async restore(restore) {
      const meta = (await store.list()).at(-1);
      if (meta === undefined) return undefined;
      await restore(await store.open(meta.id));
      return { meta, skipped: [] };
    },
  }),
  "restores a corrupt snapshot": (store, backend) => ({
    async restore(restore) {
      const [meta] = await store.list();
      if (meta === undefined) return undefined;
      const state = await backend.read(meta.id, "state.bin");
      const stream = new Blob([state.slice()]).stream();
      await restore(Object.assign(stream, { meta }) as SnapshotSource);
      return { meta, skipped: [] };
    },
  }),
  "gives up after the first failure": (store) => ({
    async restore(restore) {
      const [meta] = await store.list();
      if (meta === undefined) return undefined;
      try {
        await restore(await store.open(meta.id));
      } catch (error) {
        throw new NoUsableSnapshotError("none", [error]);
      }
      return { meta, skipped: [] };
    },
  }),
  "takes a store without a good snapshot for an empty one": (store) => ({
    restore: (restore) =>
      store.restore(restore).catch((error) => {
        if (error instanceof NoUsableSnapshotError) return undefined;
        throw error;
      }),
  }),
  "removes the snapshots that could not be restored": (store) => ({
    async restore(restore) {
      const restored = await store.restore(restore);
      for (const { id } of await store.list()) {
        if (id === restored?.meta.id) break;
        await store.delete(id);
      }
      return restored;
    },
  }),
  "takes an unread snapshot as restored": (store) => ({
    async restore(restore) {
      const [meta] = await store.list();
      const restored = await store.restore(restore).catch((error) => {
        if (!(error instanceof TypeError) || meta === undefined) throw error;
      });
      return restored ?? (meta && { meta, skipped: [] });
    },
  }),
  "ignores the reason that a source is cancelled with": (store) => ({
    restore: (restore) =>
      store.restore((source) => {
        const cancel = () => ReadableStream.prototype.cancel.call(source);
        return restore(Object.assign(source, { cancel }));
      }),
  }),
  "forgets which snapshots it has passed over": (store) => ({
    async restore(restore) {
      const restored = await store.restore(restore);
      return restored && { ...restored, skipped: [] };
    },
  }),
  "quarantines no snapshot": (_store, backend) => {
    Object.assign(backend, { quarantine: undefined });
    return {};
  },
  "verifies every snapshot as good": (store) => ({
    async verify(id, options) {
      const report = await store.verify(id, options);
      return { ...report, ok: true, errors: [] };
    },
  }),
  "rejects when it verifies a corrupt snapshot": (store) => ({
    async verify(id, options) {
      const report = await store.verify(id, options);
      for (const error of report.errors) throw error;
      return report;
    },
  }),
  "inspects nothing": (store) => ({
    inspect: async () => ({
      ...await store.inspect(),
      unfinished: [],
      quarantined: [],
    }),
  }),
  "shows its published snapshots as unfinished": (store) => ({
    async inspect() {
      const unfinished = (await store.list()).map(({ id, size }) => ({
        id,
        name: id,
        state: "writing" as const,
        size,
        changedAt: undefined,
        isForeign: false,
        mayBeUnderWay: true,
      }));
      const found = await store.inspect();
      return { ...found, unfinished: [...found.unfinished, ...unfinished] };
    },
  }),
  "cleans away snapshots that are being written": (store) => {
    const sinks: SnapshotSink[] = [];
    return {
      async create(init, options) {
        const sink = await store.create(init, options);
        sinks.push(sink);
        return sink;
      },
      async clean(options) {
        for (const sink of sinks) await sink.cancel();
        return await store.clean(options);
      },
    };
  },
  "seals nothing": (store) => ({
    async seal(id) {
      const { meta, errors } = await store.verify(id);
      if (meta === undefined || errors[0] !== undefined) throw errors[0];
      return meta;
    },
  }),
  "seals a corrupt snapshot": (store) => ({
    async seal(id, options) {
      const meta = (await store.list()).find((each) => each.id === id);
      return await store.seal(id, options).catch((error) => {
        if (error instanceof SnapshotCorruptError && meta) return meta;
        throw error;
      });
    },
  }),
  "deletes nothing": (store) => ({
    async delete(id) {
      await (await store.open(id)).cancel();
    },
  }),
  "deletes all that it has": (store) => ({
    async delete(id) {
      await store.delete(id);
      for (const other of await store.list()) await store.delete(other.id);
    },
  }),
  "resolves when there is nothing to delete": (store) => ({
    delete: (id) =>
      store.delete(id).catch((error) => {
        if (!(error instanceof SnapshotNotFoundError)) throw error;
      }),
  }),
  "reaps nothing": (_store, backend) => {
    backend.remove = () => Promise.resolve(new Map());
    return {};
  },
  "reaps the only good snapshot": (store) => ({
    async reap() {
      await store.reap();
      const [, ...rest] = await store.list();
      for (const { id } of rest) await store.delete(id);
    },
  }),
  "reaps all but the snapshot that was published last": (store) => ({
    async create(init) {
      const sink = await store.create(init);
      const close = sink.close.bind(sink);
      sink.close = async () => {
        await close();
        for (const { id } of await store.list().catch(() => [])) {
          if (id !== sink.id) await store.delete(id).catch(() => {});
        }
      };
      return sink;
    },
  }),
  "can be used after it was closed": () => ({
    close: () => Promise.resolve(),
  }),
  "leaves its sinks open when it is closed": (store) => {
    let isClosed = false;
    const refuse = () => Promise.reject(new StoreClosedError("closed"));
    return {
      create: (init) => isClosed ? refuse() : store.create(init),
      list: lister(() => isClosed ? refuse() : store.list()),
      close: () => Promise.resolve(void (isClosed = true)),
    };
  },
};

function wrap(
  store: SnapshotStore,
  changes: Partial<SnapshotStore>,
): SnapshotStore {
  return {
    create: (init, options) => store.create(init, options),
    save: (init, state, options) => store.save(init, state, options),
    list: store.list.bind(store) as SnapshotStore["list"],
    stat: (id) => store.stat(id),
    header: (id) => store.header(id),
    open: (id, options) => store.open(id, options),
    restore: (restore) => store.restore(restore),
    verify: (id, options) => store.verify(id, options),
    inspect: () => store.inspect(),
    clean: (options) => store.clean(options),
    seal: (id, options) => store.seal(id, options),
    reap: () => store.reap(),
    delete: (id) => store.delete(id),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    ...changes,
  };
}

/** The names of the checks that a store with that fault does not pass. */
async function failedChecks(mutate: Mutate): Promise<string[]> {
  const failed: string[] = [];
  const checks = snapshotStoreConformance(() => {
    const backend = new EditableBackend();
    const store = new BackedStore(backend, { retain, logger });
    return {
      store: wrap(store, mutate(store, backend)),
      corrupt: (id) => backend.corrupt(id),
      unseal: (id) => backend.removePart(id, "blocks.crc64"),
    };
  }, { retain, damages });
  for (const { name, run } of checks) {
    await run().catch(() => failed.push(name));
  }
  assert.ok(failed.length < checks.length / 2, "not everything is wrong");
  return failed;
}

describe("the conformance suite", () => {
  it("finds nothing wrong with a store that has no fault", async () => {
    assert.deepEqual(await failedChecks(() => ({})), []);
  });

  for (const [fault, mutate] of Object.entries(MUTANTS)) {
    it(`finds a store that ${fault}`, async () => {
      assert.notDeepEqual(await failedChecks(mutate), []);
    });
  }

  it("leaves out the checks of damage that the store's maker does not offer", () => {
    const makeStore = () => new MemorySnapshotStore();
    const namesOf = (options: ConformanceOptions) =>
      snapshotStoreConformance(makeStore, options).map(({ name }) => name);
    const all = namesOf({ retain, damages });
    const some = namesOf({});
    assert.ok(some.every((name) => all.includes(name)));
    const left = all.filter((name) => !some.includes(name));
    for (const word of ["corrupt", "block checksums", "retained"]) {
      assert.ok(left.some((name) => name.includes(word)), word);
    }
    assert.equal(new Set(all).size, all.length, "each name is there once");
  });

  it("fails when the store's maker gives no damage that it has named", async () => {
    const checks = snapshotStoreConformance(
      () => new MemorySnapshotStore({ retain, logger }),
      { damages: ["corrupt"] },
    );
    const check = checks.find(({ name }) => name.includes("corrupt"));
    await assert.rejects(async () => await check?.run(), TypeError);
  });

  it("makes a store for each check, and disposes of it", async () => {
    let made = 0;
    const disposed = new Set<SnapshotStore>();
    const checks = snapshotStoreConformance(() => {
      made++;
      const store = new DiscardSnapshotStore();
      return Object.assign(store, {
        [Symbol.asyncDispose]: () => Promise.resolve(void disposed.add(store)),
      });
    }, { keeps: "nothing" });
    assert.equal(made, 0);
    for (const { run } of checks) await run();
    assert.equal(made, checks.length);
    assert.equal(disposed.size, checks.length);
  });
});
