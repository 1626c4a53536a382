/**
 * The workload of the fault tests: everything that a store can do, one task
 * after the other, on a file system in which a test injects faults.
 *
 * @module
 */

import assert from "node:assert/strict";
import type {
  SnapshotSource,
  SnapshotStore,
  VerifyMode,
} from "@raft/snapshots";
import { exportArchive } from "@raft/snapshots/archive";
import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";
import { archiveOf, members, metaText } from "../archive/hand_made.ts";
import { Expectations } from "../crash/expectations.ts";
import { BASE } from "../crash/recovery.ts";
import { StoreClient } from "../crash/store_client.ts";
import { bytes } from "../support/random.ts";

/** A task that failed. */
export interface TaskFailure {
  readonly task: string;
  readonly error: unknown;
}

const GO = "1-1-1700000000000";
const GOOD = "1-2-1700000000001";
const CORRUPT = "1-3-1700000000002";

/** Three snapshots, one as Go writes it, one good, one corrupt; and a `.tmp`. */
async function makeDisk(expectations: Expectations): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const client = new StoreClient(disk, expectations);
  const store = await client.open({ retain: 9 });
  for (const index of [1, 2, 3]) {
    await client.take(store, { index, size: 5000 });
  }
  await store.close();
  await disk.removeFile(`${BASE}/snapshots/${GO}/blocks.crc64`);
  const path = `${BASE}/snapshots/${CORRUPT}/state.bin`;
  disk.writeFile(path, disk.readFile(path).map((byte) => byte ^ 1));
  expectations.corrupted(CORRUPT);
  disk.writeFile(`${BASE}/snapshots/1-9-9.tmp/meta.json`, new Uint8Array(9));
  return disk.crash({ seed: 0, keptPercent: 100, renames: "atomic" });
}

/** The bytes of a source; not through a `Response`, which hides errors. */
async function read(source: SnapshotSource): Promise<Uint8Array> {
  const state = new Uint8Array(source.meta.size);
  let position = 0;
  const reader = source.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    state.set(value, position);
    position += value.length;
  }
  assert.equal(position, state.length);
  return state;
}

/** A state, and an archive of it that is sealed as Vault's are. */
const IMPORTED = bytes(7000, 8);
const SEAL = "sealed with the cluster's key";
const parts = members({
  state: IMPORTED,
  meta: metaText({ Index: 8, Size: IMPORTED.length }),
});
const ARCHIVE = archiveOf(parts.meta, parts.state, parts.sums, {
  name: "SHA256SUMS.sealed",
  content: SEAL,
});

/** The archive of a snapshot; not through a `Response`, which hides errors. */
async function exported(store: SnapshotStore, id: string): Promise<string> {
  const warnings: string[] = [];
  let text = "";
  const archive = exportArchive(store, id, {
    level: 0,
    onWarning: (warning) => warnings.push(warning),
  });
  for await (const chunk of archive) text += String.fromCharCode(...chunk);
  // An error of the system must not be taken for an archive without a seal.
  assert.deepEqual(warnings, []);
  return text;
}

/** The tasks in their order. None needs the success of an earlier one. */
const tasks: Readonly<Record<string, (workload: Workload) => Promise<void>>> = {
  open: async (workload) => void await workload.store(),
  list: async (workload) => {
    for (const { id } of await (await workload.store()).list()) {
      assert.ok(workload.expectations.contentOf(id), `${id} is listed`);
    }
  },
  "read a snapshot of Go's": (workload) => workload.read(GO, "auto"),
  "read a snapshot": (workload) => workload.read(GOOD, "auto"),
  "check, then read": (workload) => workload.read(GOOD, "before"),
  "read, then check": (workload) => workload.read(GOOD, "stream"),
  verify: async (workload) => {
    const { ok } = await (await workload.store()).verify(GOOD);
    assert.ok(ok, "verify() reports damage in a good snapshot");
  },
  restore: async (workload) => {
    const store = await workload.store();
    let state: Uint8Array | undefined;
    const { meta } = await store.restore(async (source) => {
      state = await read(source);
    }) ?? {};
    assert.ok(meta, "restore() has found no snapshot");
    assert.deepEqual(state, workload.expectations.contentOf(meta.id));
  },
  seal: async (workload) =>
    await workload.client.seal(await workload.store(), GO),
  delete: async (workload) =>
    await workload.client.delete(await workload.store(), GO),
  take: async (workload) => {
    await workload.take({ index: 4, size: 9000 });
  },
  cancel: async (workload) => {
    const plan = { index: 5, size: 9000 };
    const { sink } = await workload.client.write(await workload.store(), plan);
    await sink.cancel();
    await assert.rejects(sink.close());
  },
  "take two at once": async (workload) => {
    const plans = [{ index: 6, size: 5000 }, { index: 7, size: 5000 }];
    const done = await Promise.allSettled(
      plans.map((plan) => workload.take(plan)),
    );
    for (const result of done) {
      if (result.status === "rejected") throw result.reason;
    }
  },
  "import an archive": async (workload) => {
    workload.imported = await workload.client.import(
      await workload.store(),
      ARCHIVE,
      IMPORTED,
    );
  },
  "export the imported snapshot": async (workload) => {
    if (workload.imported === undefined) return;
    const text = await exported(await workload.store(), workload.imported);
    assert.ok(text.includes(SEAL), "the seal is lost");
  },
  "open again, to keep one": async (workload) => {
    await workload.close();
    await workload.store(1);
  },
  reap: async (workload) => await (await workload.store(1)).reap(),
  close: (workload) => workload.close(),
};

/** Runs the tasks on one disk. */
export class Workload {
  readonly expectations: Expectations;
  readonly disk: MemoryFileSystem;
  readonly files: FaultyFileSystem;
  readonly client: StoreClient;
  /** The tasks that failed, in order. */
  readonly failures: TaskFailure[] = [];
  /** The snapshot that was imported, once it is published. */
  imported: string | undefined;
  #store: SnapshotStore | undefined;
  #closing = false;
  #task = "";

  private constructor(disk: MemoryFileSystem, expectations: Expectations) {
    this.expectations = expectations;
    this.disk = disk;
    this.files = new FaultyFileSystem(disk);
    this.client = new StoreClient(this.files, expectations);
  }

  /** Prepares the disk. */
  static async create(): Promise<Workload> {
    const expectations = new Expectations();
    return new Workload(await makeDisk(expectations), expectations);
  }

  /** The task that is running. */
  get task(): string {
    return this.#task;
  }

  /** The store, opened if it is not open. */
  async store(retain = 3): Promise<SnapshotStore> {
    if (this.#closing) await this.close();
    this.#store ??= await this.client.open({ retain });
    return this.#store;
  }

  /** Runs all tasks, also after one has failed. */
  async run(): Promise<void> {
    for (const [task, run] of Object.entries(tasks)) {
      this.#task = task;
      try {
        await run(this);
      } catch (error) {
        this.failures.push({ task, error });
      }
    }
  }

  async read(id: string, verify: VerifyMode): Promise<void> {
    const source = await (await this.store()).open(id, { verify });
    assert.deepEqual(await read(source), this.expectations.contentOf(id));
  }

  /** Takes a snapshot. Once close() has rejected, it must keep rejecting. */
  async take(plan: Parameters<StoreClient["write"]>[1]): Promise<void> {
    const { sink, state } = await this.client.write(await this.store(), plan);
    try {
      await this.client.close(sink, state);
    } catch (error) {
      for (let i = 0; i < 3; i++) {
        await assert.rejects(
          sink.close(),
          "close() resolves after it rejected",
        );
      }
      throw error;
    }
  }

  /** Closes the store; may be called again after it has failed. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#store?.close();
    this.#store = undefined;
    this.#closing = false;
  }
}
