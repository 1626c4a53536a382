/**
 * A store that keeps nothing (`DiscardSnapshotStore` in Go's
 * `discard_snapshot.go`).
 *
 * @module
 */

import { Crc64 } from "./crc64/mod.ts";
import { SnapshotNotFoundError } from "./errors.ts";
import { formatId, requireId } from "./snapshot/id.ts";
import { resolveInit } from "./snapshot/init.ts";
import { type Draft, DraftSink } from "./store/sink.ts";
import type {
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  SnapshotSource,
  SnapshotStore,
} from "./snapshot/types.ts";

/**
 * Takes every snapshot and keeps none: for tests that only need the log to be
 * cut. Never use it for data that matters.
 *
 * @example Take a snapshot that goes nowhere
 * ```ts
 * import { DiscardSnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new DiscardSnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["state"]).stream().pipeTo(sink);
 * assert.equal(sink.meta.size, 5);
 * assert.deepEqual(await store.list(), []);
 * ```
 */
export class DiscardSnapshotStore implements SnapshotStore {
  #lastUnixMs = -1;

  /** Begins a snapshot that goes nowhere. */
  // deno-lint-ignore require-await -- wrong arguments reject, never throw
  async create(init: SnapshotInit): Promise<SnapshotSink> {
    init.signal?.throwIfAborted();
    const meta = resolveInit(init);
    const { term, index } = meta;
    this.#lastUnixMs = Math.max(Date.now(), this.#lastUnixMs + 1);
    const unixMs = BigInt(this.#lastUnixMs);
    const id = formatId({ term, index, unixMs });
    return new DraftSink(new DiscardDraft({ ...meta, id }), {
      // With 0, pipeTo() would wait for ever for the sink to have room.
      highWaterMark: 1,
      signal: init.signal,
    });
  }

  /** Always nothing. */
  // deno-lint-ignore require-await -- as the interface has it
  async list(): Promise<SnapshotMeta[]> {
    return [];
  }

  /**
   * Always refuses.
   *
   * @throws {SnapshotNotFoundError} always.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   */
  // deno-lint-ignore require-await -- as the interface has it
  async open(id: string): Promise<SnapshotSource> {
    throw new SnapshotNotFoundError(
      `Cannot find snapshot ${requireId(id)}: this store keeps none`,
    );
  }
}

class DiscardDraft implements Draft {
  readonly #crc = new Crc64();
  #meta: SnapshotMeta;
  #size = 0;

  constructor(meta: SnapshotMeta) {
    this.#meta = meta;
  }

  get meta(): SnapshotMeta {
    return this.#meta;
  }

  write(bytes: Uint8Array): undefined {
    this.#crc.update(bytes);
    this.#size += bytes.length;
    return undefined;
  }

  publish(): Promise<void> {
    const crc = this.#crc.digest();
    this.#meta = { ...this.#meta, size: this.#size, crc };
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}
