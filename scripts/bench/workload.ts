/**
 * One measurement of this library, on the runtime that runs this file:
 * `workload.ts MEASURE DIRECTORY [COUNT]`, a count of bytes or, for a list, of
 * snapshots. Prints a line of JSON for each
 * sample. Each runs in a process of its own, so that the peak of its memory is
 * its own.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { readFile } from "node:fs/promises";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  type FileSystem,
  openFileSnapshotStore,
  type SnapshotStore,
} from "@raft/snapshots";
import { Crc64 } from "@raft/snapshots/crc64";
import { FileBackend } from "../../src/backends/file/file_backend.ts";
import { decodeRecord, META_SIZE_MAX } from "../../src/snapshot/meta/decode.ts";
import type { SnapshotMeta } from "../../src/snapshot/types.ts";
import { StateReader } from "../../src/store/state_reader.ts";
import { nodeFileSystem } from "../../src/fs/node/file_system.ts";
import { byTurns, filled, INIT, MIB, timed } from "./common.ts";
import { restoreBoth } from "./restoring.ts";
import { saveBoth } from "./saving.ts";
import { saveSmall } from "./small.ts";

/** The result of one measurement. */
interface Sample {
  /** How long it took. */
  readonly seconds: number;
  /** The growth of the memory at its peak, in bytes. */
  readonly peakBytes: number;
}

/** Something to measure; resolves to seconds, most to one figure. */
type Workload = (
  directory: string,
  bytes: number,
) => Promise<number | readonly number[]>;

/** Chunks of so many bytes, `total` bytes in all. */
function producer(total: number, chunkSize: number) {
  const chunk = filled(chunkSize);
  let left = total;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.enqueue(left < chunkSize ? chunk.subarray(0, left) : chunk);
      left -= Math.min(left, chunkSize);
      if (left === 0) controller.close();
    },
  }, { highWaterMark: 0 });
}

function consumer() {
  return new WritableStream({ write() {} });
}

/** The real file system, but for the checksums of blocks, which go nowhere. */
const withoutBlocks: FileSystem = {
  resolve: (path) => nodeFileSystem.resolve(path),
  makeDirectory: (path, mode) => nodeFileSystem.makeDirectory(path, mode),
  readDirectory: (path) => nodeFileSystem.readDirectory(path),
  stat: (path) => nodeFileSystem.stat(path),
  rename: (from, to) => nodeFileSystem.rename(from, to),
  removeFile: (path) => nodeFileSystem.removeFile(path),
  removeDirectory: (path) => nodeFileSystem.removeDirectory(path),
  holdDirectory: (path) => nodeFileSystem.holdDirectory(path),
  removeTree: (path) => nodeFileSystem.removeTree(path),
  syncDirectory: (path) => nodeFileSystem.syncDirectory(path),
  lock: (path) => nodeFileSystem.lock(path),
  readLock: (path) => nodeFileSystem.readLock(path),
  open: (path, how, mode) =>
    path.endsWith("/blocks.crc64")
      ? Promise.resolve({
        stat: () =>
          Promise.resolve({ kind: "file", size: 0, modifiedMs: 0 } as const),
        read: () => Promise.resolve(0),
        write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
        sync: () => Promise.resolve(),
        close: () => Promise.resolve(),
      })
      : nodeFileSystem.open(path, how, mode),
};

async function write(
  directory: string,
  bytes: number,
  chunkSize: number,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<number> {
  const options = { retain: 1, fileSystem };
  const store = await openFileSnapshotStore(directory, options);
  const source = producer(bytes, chunkSize);
  const seconds = await timed(async () => {
    await source.pipeTo(await store.create({ index: 1n, ...INIT }));
  });
  await store.close();
  return seconds;
}

/** list, open and read out, every byte checked before it is handed out. */
async function read(directory: string, warm: boolean): Promise<number> {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  if (warm) await readNewest(store);
  const seconds = await timed(() => readNewest(store));
  await store.close();
  return seconds;
}

async function readNewest(store: SnapshotStore): Promise<void> {
  const [newest] = await store.list();
  if (newest === undefined) throw new Error("there is no snapshot");
  await (await store.open(newest.id)).pipeTo(consumer());
}

/** The same with a few buffers in turn; the consumer has each chunk once. */
async function readReusing(directory: string): Promise<number> {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  const read = () =>
    store.restore((source) => source.pipeTo(consumer()), {
      reuseBuffers: true,
    });
  await read();
  const seconds = await timed(read);
  await store.close();
  return seconds;
}

/** Reads by the same reader and the same streams, without a check. */
function uncheckedReader(directory: string): () => Promise<void> {
  const backend = new FileBackend(directory);
  return async () => {
    const [id = ""] = (await backend.names()).published;
    const bytes = await backend.readMeta(id, META_SIZE_MAX);
    const meta = decodeRecord(bytes, id) as SnapshotMeta;
    const handle = await backend.openState(id);
    const range = { start: 0, end: meta.size, blockSize: MIB };
    const parts = { report: () => {} };
    const reader = new StateReader(parts, handle, meta, range);
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const run = await reader.next();
        if (run !== undefined) controller.enqueue(run);
        if (!reader.isAtEnd) return;
        await reader.end();
        controller.close();
      },
    }, { highWaterMark: 0 });
    await source.pipeThrough(new TransformStream()).pipeTo(consumer());
  };
}

/** With the check and without. */
async function readBoth(directory: string): Promise<number[]> {
  const store = await openFileSnapshotStore(directory, { readOnly: true });
  const unchecked = uncheckedReader(directory);
  const figures = await byTurns([
    () => timed(() => readNewest(store)),
    () => timed(unchecked),
  ]);
  await store.close();
  return figures;
}

/** The one snapshot's state. */
async function statePath(directory: string): Promise<string> {
  const path = join(directory, "snapshots");
  const [id = ""] = (await fs.readdir(path)).filter((name) =>
    /^[\d-]+$/.test(name)
  );
  return join(path, id, "state.bin");
}

/** Reads what a first list reads, as many files at a time, and nothing else. */
async function readAll(directory: string): Promise<void> {
  const path = join(directory, "snapshots");
  const ids = (await fs.readdir(path)).filter((name) => /^\d/.test(name));
  const readPart = async (name: string) => {
    const file = await fs.open(name, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { size } = await file.stat();
    await file.read(new Uint8Array(size), 0, size, 0);
    await file.close();
  };
  const work = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      await readPart(join(path, id, "meta.json"));
      await readPart(join(path, id, "blocks.crc64"));
      await fs.lstat(join(path, id, "state.bin"));
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

const workloads: Readonly<Record<string, Workload>> = {
  /** CRC of chunks of 1 MiB that are on the heap. */
  async crc(_directory, bytes) {
    const chunk = filled(MIB);
    const crc = new Crc64();
    const hash = (count: number) => {
      for (let i = 0; i < count; i++) crc.update(chunk);
    };
    hash(64);
    return await timed(() => Promise.resolve(hash(bytes / MIB)));
  },
  /** From the first byte to the end of close(). */
  write: (directory, bytes) => write(directory, bytes, MIB),
  /** With blocks.crc64 and without. */
  writeBoth: (directory, bytes) =>
    byTurns([
      () => write(directory, bytes, MIB),
      () => write(directory, bytes, MIB, withoutBlocks),
    ]),
  saveBoth,
  restoreBoth,
  /** A loop of writes and an fsync: the most that the runtime can do. */
  async writePlain(directory, bytes) {
    const chunk = filled(MIB);
    return await timed(async () => {
      const file = await fs.open(join(directory, "plain"), "w");
      for (let at = 0; at < bytes; at += MIB) {
        await file.write(chunk, 0, MIB, at);
      }
      await file.sync();
      await file.close();
    });
  },
  /** Reading in a process that has read before. */
  readAuto: (directory) => read(directory, true),
  /** The first that a process reads. */
  readFirst: (directory) => read(directory, false),
  /** Into the same few buffers again. */
  readReusing,
  readBoth,
  /** A loop of reads into fresh memory, as chunks that can be kept are. */
  async readFresh(directory) {
    const path = await statePath(directory);
    return await timed(async () => {
      const file = await fs.open(path);
      for (let position = 0;;) {
        const buffer = new Uint8Array(2 * MIB);
        const { bytesRead } = await file.read(
          buffer,
          0,
          buffer.length,
          position,
        );
        if (bytesRead === 0) break;
        position += bytesRead;
      }
      await file.close();
    });
  },
  /** A loop of reads into one buffer: the most that the runtime can do. */
  async readPlain(directory) {
    const path = await statePath(directory);
    const buffer = Buffer.alloc(MIB);
    return await timed(async () => {
      const file = await fs.open(path);
      let position = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, MIB, position);
        if (bytesRead === 0) break;
        position += bytesRead;
      }
      await file.close();
    });
  },
  small: saveSmall,
  /** A step of a small save, which waits for no disk: seconds for one. */
  async step(directory) {
    const count = 2000;
    const seconds = await timed(async () => {
      for (let i = 0; i < count; i++) await nodeFileSystem.stat(directory);
    });
    return seconds / count;
  },
  /**
   * list() on so many snapshots, in a store that is just opened, and again; and
   * the calls of the first one alone.
   */
  async list(directory, count) {
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const options = { retain: count, logger: quiet };
    const filling = await openFileSnapshotStore(directory, options);
    for (let i = (await filling.list()).length; i < count; i++) {
      const sink = await filling.create({ index: BigInt(i), ...INIT });
      await sink.close();
    }
    await filling.close();
    const store = await openFileSnapshotStore(directory, options);
    const first = await timed(() => store.list());
    const again = await timed(() => store.list());
    await store.close();
    return [first, again, await timed(() => readAll(directory))];
  },
};

/** The peak of this process's memory so far, in bytes; 0 where unknown. */
async function peakMemory(): Promise<number> {
  try {
    const status = await readFile("/proc/self/status", "utf8");
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const [measure = "", directory = "", count = "0"] = process.argv.slice(2);
const workload = workloads[measure];
if (workload === undefined) throw new RangeError(`no measure "${measure}"`);
const before = await peakMemory();
const figures = [await workload(directory, Number(count))].flat();
const peakBytes = await peakMemory() - before;
for (const seconds of figures) {
  const sample: Sample = { seconds, peakBytes };
  console.log(JSON.stringify(sample));
}
