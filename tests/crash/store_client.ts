/**
 * A user of stores that records every request and answer in the expectations.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type FileSnapshotStoreOptions,
  type FileSystem,
  openFileSnapshotStore,
  type SnapshotInit,
  SnapshotPublishError,
  type SnapshotSink,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { writeAtomically } from "../../src/cli/atomic_file.ts";
import { byteStream } from "../archive/stores.ts";
import { bytes } from "../support/random.ts";
import type { Expectations } from "./expectations.ts";
import { BASE, silent, stateOf } from "./recovery.ts";

/** A snapshot to take. */
export interface Plan {
  readonly index: number;
  readonly term?: number;
  /** Length of the state in bytes. */
  readonly size: number;
}

async function* chunksOf(
  bytes: Uint8Array,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}

/** Uses one store after another on one file system. */
export class StoreClient {
  readonly files: FileSystem;
  readonly expectations: Expectations;
  readonly #generation: number;
  /** Every process begins with the same time, as after a clock was set back. */
  #now = 1_700_000_000_000;

  /** `generation` is how many processes there were before this one. */
  constructor(files: FileSystem, expectations: Expectations, generation = 0) {
    this.files = files;
    this.expectations = expectations;
    this.#generation = generation;
  }

  /** Opens the store; small blocks, so that a small state has several. */
  open(options: FileSnapshotStoreOptions = {}): Promise<SnapshotStore> {
    if (options.retain !== undefined) this.expectations.retain = options.retain;
    return openFileSnapshotStore(BASE, {
      fileSystem: this.files,
      logger: silent,
      blockSize: 4096,
      clock: () => this.#now++,
      ...options,
    });
  }

  /** Begins a snapshot and writes its state, in chunks of odd sizes. */
  async write(
    store: SnapshotStore,
    { index, term = 1, size }: Plan,
  ): Promise<{ sink: SnapshotSink; state: Uint8Array }> {
    const sink = await store.create({
      index,
      term,
      configuration: {
        servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
      },
      configurationIndex: 1,
    });
    const state = bytes(size, 1000 * term + 100 * this.#generation + index);
    const writer = sink.getWriter();
    for (let start = 0; start < size; start += 3001) {
      await writer.write(state.slice(start, start + 3001));
    }
    writer.releaseLock();
    return { sink, state };
  }

  /** Publishes the snapshot that was written. */
  async close(sink: SnapshotSink, state: Uint8Array): Promise<string> {
    this.expectations.publishing(sink.id, state);
    try {
      await sink.close();
    } catch (error) {
      const isThere = error instanceof SnapshotPublishError && error.published;
      if (!isThere) this.expectations.refused(sink.id);
      throw error;
    }
    this.expectations.acknowledged(sink.id);
    return sink.id;
  }

  /** Takes a snapshot from beginning to end; gives its ID. */
  async take(store: SnapshotStore, plan: Plan): Promise<string> {
    const { sink, state } = await this.write(store, plan);
    return await this.close(sink, state);
  }

  /** Puts an archive's snapshot into the store; gives its ID. */
  async import(
    store: SnapshotStore,
    archive: Uint8Array,
    state: Uint8Array,
  ): Promise<string> {
    let id = "";
    const create = async (init: SnapshotInit) => {
      const sink = await store.create(init);
      id = sink.id;
      this.expectations.importing(id);
      this.expectations.publishing(id, state);
      return sink;
    };
    try {
      await importArchive({ create }, byteStream(archive));
    } catch (error) {
      const isThere = error instanceof SnapshotPublishError && error.published;
      if (!isThere) this.expectations.refused(id);
      throw error;
    }
    this.expectations.acknowledged(id);
    return id;
  }

  /** Reads a snapshot out, which may be removed meanwhile. */
  async read(source: SnapshotSource): Promise<void> {
    const state = await stateOf(source);
    assert.deepEqual(state, this.expectations.contentOf(source.meta.id));
  }

  async delete(store: SnapshotStore, id: string): Promise<void> {
    this.expectations.deleting(id);
    await store.delete(id);
    this.expectations.deleted(id);
  }

  async seal(store: SnapshotStore, id: string): Promise<void> {
    await store.seal(id);
    this.expectations.sealed(id);
  }

  /** Writes an archive of a snapshot to a file, as the command `export` does. */
  async export(
    store: SnapshotStore,
    id: string,
    path: string,
  ): Promise<void> {
    const archive = new Uint8Array(
      await new Response(exportArchive(store, id)).arrayBuffer(),
    );
    this.expectations.exporting(path, archive);
    await writeAtomically(path, chunksOf(archive, 3001), {
      fileSystem: this.files,
      check: async (temporary) => {
        assert.equal((await this.files.stat(temporary)).size, archive.length);
      },
    });
    this.expectations.exported(path, archive);
  }

  /**
   * Restores, as a node does when it starts. From then on its log follows the
   * restored snapshot, which must not get lost.
   */
  async restore(store: SnapshotStore): Promise<void> {
    const { meta } = await store.restore(stateOf) ?? {};
    if (meta !== undefined) this.expectations.acknowledged(meta.id);
  }
}
