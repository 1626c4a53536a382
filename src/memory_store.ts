/**
 * A store that keeps the newest snapshot in memory (`InmemSnapshotStore` in
 * Go's `inmem_snapshot.go`).
 *
 * @module
 */

import { crc64Checker } from "./crc64/check_stream.ts";
import { Crc64 } from "./crc64/mod.ts";
import { SnapshotNotFoundError } from "./errors.ts";
import { type Extra, type MakeExtra, offerExtras } from "./snapshot/extras.ts";
import { formatId, requireId } from "./snapshot/id.ts";
import { resolveInit } from "./snapshot/init.ts";
import {
  type ByteRange,
  requireMode,
  requireRange,
} from "./snapshot/open_options.ts";
import { type Draft, DraftSink } from "./store/sink.ts";
import type {
  OpenOptions,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  SnapshotSource,
  SnapshotStore,
} from "./snapshot/types.ts";

/** Bytes that may wait in a sink before the producer is held back. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** A published snapshot, and its state in the pieces that were written. */
interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
  readonly extra: Extra | undefined;
}

/**
 * Keeps the snapshot that was published last, in memory: for tests, and for
 * state that may be lost with the process. Unlike Go's, which lists a snapshot
 * while it is being written, this one publishes it when its sink is closed.
 *
 * @example Write and read a snapshot
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const store = new MemorySnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["state"]).stream().pipeTo(sink);
 * const source = await store.open(sink.id);
 * assert.equal(await new Response(source).text(), "state");
 * ```
 */
export class MemorySnapshotStore implements SnapshotStore {
  #newest: StoredSnapshot | undefined;
  #lastUnixMs = -1;

  /** Makes an empty store. */
  constructor() {
    offerExtras(this, (id, name) => {
      const { meta, extra } = this.#newest ?? {};
      const isIt = meta?.id === id && extra?.name === name;
      return Promise.resolve(isIt ? extra.bytes : undefined);
    });
  }

  /** Begins a snapshot. The caller must close or cancel the sink. */
  // deno-lint-ignore require-await -- wrong arguments reject, never throw
  async create(init: SnapshotInit): Promise<SnapshotSink> {
    init.signal?.throwIfAborted();
    const { term, index, ...rest } = resolveInit(init);
    this.#lastUnixMs = Math.max(Date.now(), this.#lastUnixMs + 1);
    const unixMs = BigInt(this.#lastUnixMs);
    const id = formatId({ term, index, unixMs });
    const draft = new MemoryDraft({ ...rest, term, index, id }, (snapshot) => {
      this.#newest = snapshot;
    });
    return new DraftSink(draft, {
      highWaterMark: HIGH_WATER_MARK_BYTES,
      signal: init.signal,
    });
  }

  /** The newest snapshot, or nothing. */
  // deno-lint-ignore require-await -- as the interface has it
  async list(): Promise<SnapshotMeta[]> {
    return this.#newest === undefined ? [] : [this.#newest.meta];
  }

  /**
   * Opens the newest snapshot.
   *
   * @throws {SnapshotNotFoundError} when `id` is not its ID.
   * @throws {InvalidSnapshotIdError} when `id` is not an ID.
   * @throws {RangeError} when `start` and `end` are not in the state, in order.
   * @throws {TypeError} when an option has the wrong type.
   */
  // deno-lint-ignore require-await -- wrong arguments reject, never throw
  async open(id: string, options: OpenOptions = {}): Promise<SnapshotSource> {
    requireId(id);
    requireMode(options);
    options.signal?.throwIfAborted();
    if (this.#newest?.meta.id !== id) {
      throw new SnapshotNotFoundError(`Cannot find snapshot ${id} in memory`);
    }
    const { meta, chunks } = this.#newest;
    const range = requireRange(options, meta);
    return makeSource(meta, partsOf(chunks, range), range, options);
  }
}

class MemoryDraft implements Draft {
  readonly #onPublished: (snapshot: StoredSnapshot) => void;
  readonly #crc = new Crc64();
  #meta: SnapshotMeta;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #makeExtra: MakeExtra = () => undefined;

  constructor(
    meta: SnapshotMeta,
    onPublished: (snapshot: StoredSnapshot) => void,
  ) {
    this.#meta = meta;
    this.#onPublished = onPublished;
  }

  get meta(): SnapshotMeta {
    return this.#meta;
  }

  write(bytes: Uint8Array): undefined {
    const copy = new Uint8Array(bytes);
    this.#crc.update(copy);
    this.#chunks.push(copy);
    this.#size += copy.length;
    return undefined;
  }

  addExtra(make: MakeExtra): void {
    this.#makeExtra = make;
  }

  // deno-lint-ignore require-await -- an extra that can't be made rejects
  async publish(): Promise<void> {
    const crc = this.#crc.digest();
    this.#meta = { ...this.#meta, size: this.#size, crc };
    const extra = this.#makeExtra();
    this.#onPublished({ meta: this.#meta, chunks: this.#chunks, extra });
  }

  discard(): Promise<void> {
    this.#chunks = [];
    return Promise.resolve();
  }
}

/** Copies of what is in the range: the reader may do with them what it likes. */
function* partsOf(
  chunks: readonly Uint8Array[],
  { start, end }: ByteRange,
): Generator<Uint8Array<ArrayBuffer>> {
  let position = 0;
  for (const chunk of chunks) {
    if (position >= end) return;
    const from = Math.max(start - position, 0);
    if (from < chunk.length) yield chunk.slice(from, end - position);
    position += chunk.length;
  }
}

function makeSource(
  meta: SnapshotMeta,
  parts: Iterator<Uint8Array<ArrayBuffer>>,
  { start, end }: ByteRange,
  { signal, onProgress }: OpenOptions,
): SnapshotSource {
  const total = end - start;
  let done = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const { value } = parts.next();
      if (value === undefined) return controller.close();
      done += value.length;
      controller.enqueue(value);
      onProgress?.({ done, total });
    },
  });
  const { size, crc } = meta;
  const name = `snapshot ${meta.id}`;
  let onAbort = () => {};
  const check = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >({
    // There is no CRC of a part, and nobody else who could change these bytes.
    ...(total === size ? crc64Checker({ size, crc, name }) : {}),
    start(controller) {
      onAbort = () => controller.error(signal?.reason);
    },
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  const release = () => signal?.removeEventListener("abort", onAbort);
  stream.pipeTo(check.writable).then(release, release);
  return Object.defineProperty(check.readable, "meta", {
    value: meta,
    enumerable: true,
  }) as SnapshotSource;
}
