/**
 * Places that lose the bytes of a snapshot and say so: the store writes them
 * again where it can read the source again.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  MemorySnapshotStore,
  SnapshotPublishError,
  type SnapshotStore,
} from "@raft/snapshots";
import { openSnapshotStore, WriteAgainError } from "@raft/snapshots/backend";
import type { PendingSnapshot } from "../../src/backend/backend.ts";
import { MaybePublishedError } from "../../src/backend/maybe_published_error.ts";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";
import { INIT, listIds, Log } from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";

const STATE = bytes(5000, 1);

/** Makes the error of a sink. */
type MakeError = () => unknown;

/** Memory in which one method of the next sinks fails. */
class LosingBackend extends MemoryBackend {
  /** The errors of the next sinks. */
  readonly errors: MakeError[] = [];
  /** The IDs that were begun. */
  readonly begun: string[] = [];
  readonly #method: "append" | "publish";

  constructor(method: "append" | "publish" = "publish") {
    super();
    this.#method = method;
  }

  override async begin(id: string): Promise<PendingSnapshot | "taken"> {
    const pending = await super.begin(id);
    if (pending === "taken") return pending;
    this.begun.push(id);
    const makeError = this.errors.shift();
    if (makeError === undefined) return pending;
    const fail = () => Promise.reject(makeError());
    return {
      append: (bytes) => pending.append(bytes),
      publish: (parts) => pending.publish(parts),
      discard: () => pending.discard(),
      [this.#method]: fail,
    };
  }
}

/** A store whose place loses the bytes of the next sinks. */
async function losing(
  errors: readonly MakeError[],
  method?: "append" | "publish",
): Promise<{ store: SnapshotStore; backend: LosingBackend; log: Log }> {
  const backend = new LosingBackend(method);
  const log = new Log();
  backend.errors.push(...errors);
  const store = await openSnapshotStore(backend, {
    logger: log,
    retain: 9,
    blockSize: 1024,
  });
  return { store, backend, log };
}

const lost = () => new WriteAgainError(new Error("the place has lost it"));

/** The same from another copy of the package. */
const lostElsewhere = () =>
  Object.assign(new Error("lost"), { code: "ERR_WRITE_AGAIN" });

/** The ways to write that can read their source again. */
const WAYS: Readonly<
  Record<string, (store: SnapshotStore) => Promise<{ readonly id: string }>>
> = {
  "save() of bytes": (store) => store.save(INIT, STATE),
  "save() of a buffer": (store) => store.save(INIT, STATE.slice().buffer),
  "save() of a Blob": (store) => store.save(INIT, new Blob([STATE])),
  "copySnapshot()": async (store) => {
    const source = new MemorySnapshotStore();
    const { id } = await source.save(INIT, STATE);
    return await copySnapshot(source, id, store);
  },
};

describe("a place that has lost bytes and says so", () => {
  for (const [way, write] of Object.entries(WAYS)) {
    for (const method of ["append", "publish"] as const) {
      it(`gets them twice more from ${way} when ${method}() fails`, async () => {
        const { store, backend, log } = await losing(
          [lost, lostElsewhere],
          method,
        );
        const { id } = await write(store);
        assert.equal(backend.begun.length, 3);
        assert.equal(backend.begun[2], id);
        assert.deepEqual(await listIds(store), [id]);
        assert.equal((await store.verify(id)).ok, true);
        const warnings = log.matching("warn", "trying again");
        assert.equal(warnings.length, 2);
        assert.match(
          warnings[0] ?? "",
          /Cannot write a snapshot in .*the place has lost it; trying again/,
        );
        await store.close();
      });
    }

    it(`does not get them a fourth time from ${way}`, async () => {
      const { store, backend } = await losing([lost, lost, lost, lost]);
      await assert.rejects(write(store), (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.equal(error.published, false);
        assert.ok(error.cause instanceof WriteAgainError);
        return true;
      });
      assert.equal(backend.begun.length, 3);
      assert.deepEqual(await store.list(), []);
      await store.close();
    });

    it(`gets nothing more from ${way} after any other failure`, async () => {
      const others = [
        () => new Error("no"),
        () => new MaybePublishedError(lost()),
      ];
      for (const other of others) {
        const { store, backend } = await losing([other]);
        await assert.rejects(write(store), SnapshotPublishError);
        assert.equal(backend.begun.length, 1);
        await store.close();
      }
    });
  }

  it("does not get the bytes of a stream, a response or an iterable again", async () => {
    const states = [
      () => new Blob([STATE]).stream(),
      () => new Response(STATE),
      () => [STATE],
    ];
    for (const state of states) {
      const { store, backend } = await losing([lost]);
      await assert.rejects(store.save(INIT, state()), SnapshotPublishError);
      assert.equal(backend.begun.length, 1);
      await store.close();
    }
  });

  it("gets nothing more when the signal has aborted", async () => {
    const reason = new Error("enough");
    for (const isCopy of [true, false]) {
      const controller = new AbortController();
      const { signal } = controller;
      const { store, backend, log } = await losing([() => {
        controller.abort(reason);
        return lost();
      }]);
      const source = new MemorySnapshotStore();
      const { id } = await source.save(INIT, STATE);
      const writing = isCopy
        ? copySnapshot(source, id, store, { signal })
        : store.save(INIT, STATE, { signal });
      await assert.rejects(writing, (error) => error === reason);
      assert.equal(backend.begun.length, 1);
      assert.deepEqual(log.matching("warn", "trying again"), []);
      assert.deepEqual(await store.list(), []);
      await store.close();
    }
  });

  it("gets them with the metadata and options of the call, which were changed since", async () => {
    const init = {
      ...INIT,
      configuration: {
        servers: [{ suffrage: "voter" as const, id: "a", address: "a:1" }],
      },
    };
    const expected = { size: STATE.length };
    const { store, backend } = await losing([() => {
      Object.assign(init, { index: 999n, term: 999n });
      init.configuration.servers.pop();
      expected.size = 1;
      return lost();
    }]);
    const meta = await store.save(init, STATE, { expected });
    assert.equal(backend.begun.length, 2);
    assert.equal(meta.index, INIT.index);
    assert.equal(meta.term, INIT.term);
    assert.deepEqual(meta.configuration.servers.map(({ id }) => id), ["a"]);
    await store.close();
  });

  it("lets the progress start again, and end at the same total", async () => {
    const { store } = await losing([lost]);
    const source = new MemorySnapshotStore();
    const { id } = await source.save(INIT, STATE);
    const told: number[] = [];
    await copySnapshot(source, id, store, {
      onProgress: ({ done, total }) => {
        assert.equal(total, STATE.length);
        told.push(done);
      },
    });
    const ends = told.filter((done) => done === STATE.length);
    assert.equal(ends.length, 2);
    assert.equal(told.at(-1), STATE.length);
    await store.close();
  });
});
