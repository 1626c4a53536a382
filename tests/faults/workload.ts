/**
 * Everything that a store is asked to do, one thing after the other, on a file
 * system that fails now and then.
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
import { Ledger } from "../crash/expectations.ts";
import { BASE } from "../crash/recovery.ts";
import { Stage } from "../crash/store_client.ts";
import { bytes } from "../support/random.ts";

/** Something that the store could not do. */
export interface Refusal {
  readonly task: string;
  readonly error: unknown;
}

const GO = "1-1-1700000000000";
const GOOD = "1-2-1700000000001";
const CORRUPT = "1-3-1700000000002";

/** Three snapshots: as Go writes them, sealed, and corrupt; and a leftover. */
async function makeDisk(ledger: Ledger): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const stage = new Stage(disk, ledger);
  const store = await stage.open({ retain: 9 });
  for (const index of [1, 2, 3]) {
    await stage.take(store, { index, size: 5000 });
  }
  await store.close();
  await disk.removeFile(`${BASE}/snapshots/${GO}/blocks.crc64`);
  const path = `${BASE}/snapshots/${CORRUPT}/state.bin`;
  disk.writeFile(path, disk.readFile(path).map((byte) => byte ^ 1));
  ledger.spoiled(CORRUPT);
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

/** A state, and the archive of it, with a seal as Vault's. */
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
  // An error of the system must not pass for a snapshot without a seal.
  assert.deepEqual(warnings, []);
  return text;
}

/** The tasks in their order; each stands for itself. */
const tasks: Readonly<Record<string, (day: Workday) => Promise<void>>> = {
  open: async (day) => void await day.store(),
  list: async (day) => {
    for (const { id } of await (await day.store()).list()) {
      assert.ok(day.ledger.contentOf(id), `${id} is listed`);
    }
  },
  "read a snapshot of Go's": (day) => day.read(GO, "auto"),
  "read a snapshot": (day) => day.read(GOOD, "auto"),
  "check, then read": (day) => day.read(GOOD, "before"),
  "read, then check": (day) => day.read(GOOD, "stream"),
  verify: async (day) => {
    const { ok } = await (await day.store()).verify(GOOD);
    assert.ok(ok, "verify() finds fault with a good snapshot");
  },
  restore: async (day) => {
    const store = await day.store();
    let state: Uint8Array | undefined;
    const meta = await store.restore(async (source) => {
      state = await read(source);
    });
    assert.ok(meta, "restore() says that there is none");
    assert.deepEqual(state, day.ledger.contentOf(meta.id));
  },
  seal: async (day) => await day.stage.seal(await day.store(), GO),
  delete: async (day) => await day.stage.delete(await day.store(), GO),
  take: async (day) => {
    await day.take({ index: 4, size: 9000 });
  },
  cancel: async (day) => {
    const plan = { index: 5, size: 9000 };
    const { sink } = await day.stage.write(await day.store(), plan);
    await sink.cancel();
    await assert.rejects(sink.close());
  },
  "take two at once": async (day) => {
    const plans = [{ index: 6, size: 5000 }, { index: 7, size: 5000 }];
    const done = await Promise.allSettled(plans.map((plan) => day.take(plan)));
    for (const result of done) {
      if (result.status === "rejected") throw result.reason;
    }
  },
  "import an archive": async (day) => {
    day.imported = await day.stage.import(
      await day.store(),
      ARCHIVE,
      IMPORTED,
    );
  },
  "export what was imported": async (day) => {
    if (day.imported === undefined) return;
    const text = await exported(await day.store(), day.imported);
    assert.ok(text.includes(SEAL), "the seal is lost");
  },
  "open again, to keep one": async (day) => {
    await day.close();
    await day.store(1);
  },
  reap: async (day) => await (await day.store(1)).reap(),
  close: (day) => day.close(),
};

/** A day's work on one disk. */
export class Workday {
  readonly ledger: Ledger;
  readonly disk: MemoryFileSystem;
  readonly files: FaultyFileSystem;
  readonly stage: Stage;
  /** What could not be done, in order. */
  readonly refusals: Refusal[] = [];
  /** The snapshot that was imported, once it is published. */
  imported: string | undefined;
  #store: SnapshotStore | undefined;
  #closing = false;
  #task = "";

  private constructor(disk: MemoryFileSystem, ledger: Ledger) {
    this.ledger = ledger;
    this.disk = disk;
    this.files = new FaultyFileSystem(disk);
    this.stage = new Stage(this.files, ledger);
  }

  /** Prepares the disk. */
  static async begin(): Promise<Workday> {
    const ledger = new Ledger();
    return new Workday(await makeDisk(ledger), ledger);
  }

  /** The task at hand. */
  get task(): string {
    return this.#task;
  }

  /** The store, which is open from here on. */
  async store(retain = 3): Promise<SnapshotStore> {
    if (this.#closing) await this.close();
    this.#store ??= await this.stage.open({ retain });
    return this.#store;
  }

  /** Does all tasks; one that fails does not save the others. */
  async work(): Promise<void> {
    for (const [task, run] of Object.entries(tasks)) {
      this.#task = task;
      try {
        await run(this);
      } catch (error) {
        this.refusals.push({ task, error });
      }
    }
  }

  async read(id: string, verify: VerifyMode): Promise<void> {
    const source = await (await this.store()).open(id, { verify });
    assert.deepEqual(await read(source), this.ledger.contentOf(id));
  }

  /** Takes a snapshot. A failure to publish it stays one. */
  async take(plan: Parameters<Stage["write"]>[1]): Promise<void> {
    const { sink, state } = await this.stage.write(await this.store(), plan);
    try {
      await this.stage.close(sink, state);
    } catch (error) {
      for (let i = 0; i < 3; i++) {
        await assert.rejects(sink.close(), "close() says that all is well");
      }
      throw error;
    }
  }

  /** Closes the store; what fails may be tried again. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#store?.close();
    this.#store = undefined;
    this.#closing = false;
  }
}
