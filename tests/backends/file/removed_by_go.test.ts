/**
 * A store beside a Go program that reaps. Go removes a snapshot file by file,
 * and the directory last; an incomplete directory in between is not damage.
 */

import assert from "node:assert/strict";
import { mkdir, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import {
  type DirectoryEntry,
  type FileStat,
  openFileSnapshotStore,
  SnapshotNotFoundError,
  type SnapshotStore,
  StoreClosedError,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import {
  encode,
  listIds,
  Log,
  SNAPSHOTS,
  StoreFixture,
} from "../../support/store_fixture.ts";

/** A disk on which one more thing has gone each time the directory is seen. */
class Reaping extends MemoryFileSystem {
  /** The files that are still to be removed, in this order. */
  #doomed: string[] = [];
  #directory = "";
  /** How many looks each step of the removal takes. */
  looksEach = 1;
  #looks = 0;
  /** The time of the last change of its directories. */
  modifiedMs = Date.now();

  /** Begins to remove these files, and last "." the snapshot's directory. */
  reap(id: string, names: readonly string[]): void {
    this.#directory = `${SNAPSHOTS}/${id}`;
    this.#doomed = names.map((name) =>
      name === "." ? this.#directory : `${this.#directory}/${name}`
    );
  }

  override async stat(path: string): Promise<FileStat> {
    const stat = await super.stat(path);
    if (path !== this.#directory) return stat;
    await this.#removeNext();
    return { ...stat, modifiedMs: this.modifiedMs };
  }

  override async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await super.readDirectory(path);
    // A list reads the names and looks at the files, not at the directory.
    if (path === this.#directory) await this.#removeNext();
    return entries;
  }

  async #removeNext(): Promise<void> {
    const isTurn = this.#looks++ % this.looksEach === 0;
    const next = isTurn ? this.#doomed.shift() : undefined;
    if (next === this.#directory) await this.removeDirectory(next);
    else if (next !== undefined) await this.removeFile(next);
  }
}

/** Orders in which a directory may list its files. */
const ORDERS = [
  ["state.bin", "meta.json", "."],
  ["meta.json", "state.bin", "."],
] as const;

/** Each call that looks into one snapshot. */
const CALLS = {
  open: (store: SnapshotStore, id: string) => store.open(id),
  verify: (store: SnapshotStore, id: string) => store.verify(id),
} as const;

/** A store of two snapshots of Go's, of which the newest is being removed. */
async function setUp(order: readonly string[]) {
  const disk = new Reaping();
  const fixture = new StoreFixture(disk);
  const [older, newest] = await fixture.prepare([1, 2]) as [string, string];
  for (const id of [older, newest]) await fixture.unseal(id);
  const store = await fixture.open({ readOnly: true });
  fixture.log.lines.length = 0;
  disk.reap(newest, order);
  return { disk, fixture, store, older, newest };
}

describe("a snapshot that is being removed file by file", () => {
  for (const order of ORDERS) {
    for (const [name, call] of Object.entries(CALLS)) {
      it(`is not found by ${name}(), ${order[0]} first`, async () => {
        const { store, newest } = await setUp(order);
        await assert.rejects(call(store, newest), SnapshotNotFoundError);
        await store.close();
      });
    }

    it(`is left out by list() without a warning, ${order[0]} first`, async () => {
      const { fixture, store, older } = await setUp(order);
      assert.deepEqual(await listIds(store), [older]);
      assert.deepEqual(fixture.log.matching("warn"), []);
      await store.close();
    });

    it(`is skipped by restore() without a warning, ${order[0]} first`, async () => {
      const { fixture, store, older } = await setUp(order);
      const { meta } = await store.restore((it) => new Response(it).text()) ??
        {};
      assert.equal(meta?.id, older);
      assert.deepEqual(fixture.log.matching("warn"), []);
      await store.close();
    });
  }

  it("is waited for while its directory was changed just before", async () => {
    // A large state.bin takes a while to go, after its name has gone.
    const { disk, store, newest } = await setUp(["state.bin", "."]);
    disk.looksEach = 8;
    await disk.removeFile(`${SNAPSHOTS}/${newest}/meta.json`);
    await assert.rejects(store.verify(newest), SnapshotNotFoundError);
    await store.close();
  });

  it("is corrupt when its removal stopped long ago", async () => {
    const { disk, store, newest } = await setUp(["state.bin"]);
    disk.modifiedMs = Date.now() - 60_000;
    const { ok, errors } = await store.verify(newest);
    assert.deepEqual([ok, errors[0]?.reason], [false, "size"]);
    await store.close();
  });
});

/** A disk on which a snapshot lacks a file, and changes at each look. */
class Restless extends MemoryFileSystem {
  directory = "";
  looks = 0;
  onThirdLook: () => void = () => {};

  override async stat(path: string): Promise<FileStat> {
    const stat = await super.stat(path);
    if (path !== this.directory) return stat;
    if (++this.looks === 3) this.onThirdLook();
    return { ...stat, modifiedMs: Date.now() };
  }
}

async function openRestless(missing: string) {
  const disk = new Restless();
  const fixture = new StoreFixture(disk);
  const [, id] = await fixture.prepare([1, 2]) as [string, string];
  await fixture.unseal(id);
  await fixture.remove(id, missing);
  const store = await fixture.open({ retain: 1 });
  disk.directory = `${SNAPSHOTS}/${id}`;
  disk.looks = 0;
  return { disk, store, id };
}

/** Each call that waits for a snapshot to be gone. */
const WAITING = {
  open: (store: SnapshotStore, id: string, signal?: AbortSignal) =>
    store.open(id, signal && { signal }),
  verify: (store: SnapshotStore, id: string, signal?: AbortSignal) =>
    store.verify(id, signal && { signal }),
  seal: (store: SnapshotStore, id: string, signal?: AbortSignal) =>
    store.seal(id, signal && { signal }),
  list: (store: SnapshotStore) => store.list(),
  reap: (store: SnapshotStore) => store.reap(),
  restore: (store: SnapshotStore) => store.restore(async () => {}),
} as const;

describe("the wait for a snapshot to be removed", () => {
  for (const missing of ["meta.json", "state.bin"]) {
    for (const name of ["open", "verify", "seal"] as const) {
      it(`is ended by the signal of ${name}(), without ${missing}`, async () => {
        const { disk, store, id } = await openRestless(missing);
        const controller = new AbortController();
        const reason = new Error("given up");
        disk.onThirdLook = () => controller.abort(reason);
        const call = WAITING[name](store, id, controller.signal);
        await assert.rejects(call, (error) => error === reason);
        await store.close();
      });
    }

    for (const [name, call] of Object.entries(WAITING)) {
      it(`in ${name}() is ended by close(), without ${missing}`, async () => {
        const { disk, store, id } = await openRestless(missing);
        let closing: Promise<void> | undefined;
        disk.onThirdLook = () => closing = store.close();
        await assert.rejects(call(store, id), StoreClosedError);
        assert.ok(closing !== undefined);
        await closing;
      });
    }
  }
});

/** Writes the files that Go would have written, without the syncs. */
async function writeAsGo(base: string, index: number): Promise<string> {
  const id = `1-${index}-1700000000000`;
  const path = join(base, "snapshots", id);
  await mkdir(path);
  const state = encode(`state ${index}`);
  const crc = new Uint8Array(8);
  new DataView(crc.buffer).setBigUint64(0, crc64(state));
  const meta = {
    Version: 1,
    ID: id,
    Index: index,
    Term: 1,
    Peers: null,
    Configuration: { Servers: [] },
    ConfigurationIndex: 0,
    Size: state.length,
    CRC: btoa(String.fromCharCode(...crc)),
  };
  await writeFile(join(path, "state.bin"), state);
  await writeFile(join(path, "meta.json"), `${JSON.stringify(meta)}\n`);
  return id;
}

/** As `os.RemoveAll` does it: the files, and the directory last. */
async function removeAsGo(path: string): Promise<void> {
  for (const name of ["state.bin", "meta.json"]) {
    await unlink(join(path, name));
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  await rmdir(path);
}

describe("a real directory from which snapshots are removed file by file", () => {
  it("never looks damaged", async (t) => {
    const base = await temporaryDirectory(t);
    await (await openFileSnapshotStore(base, { logger: new Log() })).close();
    const ids: string[] = [];
    for (let index = 1; index <= 60; index++) {
      ids.push(await writeAsGo(base, index));
    }
    const log = new Log();
    const store = await openFileSnapshotStore(base, {
      readOnly: true,
      logger: log,
    });
    let left = ids.length;
    const reaping = (async () => {
      for (const id of ids.slice(0, -1)) {
        await removeAsGo(join(base, "snapshots", id));
        left--;
      }
    })();
    while (left > 1) {
      for (const id of ids) {
        const report = await store.verify(id).catch((error) => {
          assert.ok(error instanceof SnapshotNotFoundError, String(error));
          return undefined;
        });
        assert.deepEqual(report?.errors ?? [], []);
      }
      const listed = await listIds(store);
      assert.equal(listed[0], ids.at(-1));
    }
    await reaping;
    // A directory that is empty by now must not cause a warning.
    const loud = log.lines.filter((line) => !line.startsWith("debug: "));
    assert.deepEqual(loud, []);
    await store.close();
  });
});
