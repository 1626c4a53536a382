/**
 * Stores and streams to try archives with.
 *
 * @module
 */

import {
  decodeMeta,
  encodeMeta,
  MemorySnapshotStore,
  type OpenOptions,
  type SnapshotInit,
  type SnapshotMeta,
  type SnapshotMetaFields,
  type SnapshotReader,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import { readArchive, type ReadArchiveOptions } from "@raft/snapshots/archive";

export const INIT: SnapshotInit = {
  index: 10n,
  term: 3n,
  configuration: {
    servers: [{ suffrage: "voter", id: "my id", address: "over here" }],
  },
  configurationIndex: 2n,
};

/** Takes a snapshot. */
export async function save(
  store: SnapshotStore,
  state: Uint8Array | string,
  init: SnapshotInit = INIT,
): Promise<SnapshotMeta> {
  const sink = await store.create(init);
  const writer = sink.getWriter();
  await writer.write(
    typeof state === "string" ? new TextEncoder().encode(state) : state,
  );
  await writer.close();
  return sink.meta;
}

/** A store in memory with one snapshot in it. */
export async function storeOf(
  state: Uint8Array | string,
  init?: SnapshotInit,
): Promise<{ store: MemorySnapshotStore; meta: SnapshotMeta }> {
  const store = new MemorySnapshotStore();
  return { store, meta: await save(store, state, init) };
}

/** The bytes as a stream of chunks of that size. */
export function byteStream(
  bytes: Uint8Array,
  chunkSize = 64 * 1024,
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + chunkSize)));
      at += chunkSize;
    },
  }, { highWaterMark: 0 });
}

/** All of a stream. */
export async function readOut(stream: ReadableStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reads an archive to its end. */
export async function check(
  archive: Uint8Array,
  options: ReadArchiveOptions = {},
): Promise<Uint8Array> {
  return await readOut(await readArchive(byteStream(archive), options));
}

/** The state of a source of a {@linkcode VastStore}. */
export interface Use {
  /** How often the store was asked to open it. */
  opened: number;
  /** Bytes that have been asked for. */
  read: number;
  /** Whether it has released its resources. */
  released: boolean;
}

/**
 * A store of one snapshot of zeros, of any size: as long as the metadata says,
 * unless `length` says otherwise.
 */
export class VastStore implements Pick<SnapshotReader, "open"> {
  readonly meta: SnapshotMeta;
  readonly use: Use = { opened: 0, read: 0, released: false };
  readonly #length: number;

  constructor(
    changes: Partial<SnapshotMetaFields>,
    length = changes.size ?? 0,
  ) {
    const bytes = encodeMeta({
      version: 1,
      id: "3-10-1700000000000",
      index: 10n,
      term: 3n,
      peers: Uint8Array.of(0xc0),
      configuration: { servers: [] },
      configurationIndex: 2n,
      size: 0,
      crc: 0n,
    });
    this.meta = { ...decodeMeta(bytes), ...changes };
    this.#length = length;
  }

  open(_id: string, options: OpenOptions = {}) {
    const { use } = this;
    let left = this.#length;
    use.opened++;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        use.released = left === 0 || options.signal?.aborted === true;
        options.signal?.throwIfAborted();
        const chunk = new Uint8Array(Math.min(left, 1024 * 1024));
        left -= chunk.length;
        use.read += chunk.length;
        if (chunk.length === 0) return controller.close();
        controller.enqueue(chunk);
        options.onProgress?.({ done: use.read, total: use.read + left });
      },
      cancel() {
        use.released = true;
      },
    }, { highWaterMark: 0 });
    const source = Object.assign(stream, { meta: this.meta });
    return Promise.resolve(source as SnapshotSource);
  }
}
