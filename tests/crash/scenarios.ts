/**
 * Everything that a store does to a disk.
 *
 * @module
 */

import type { FileSystem, SnapshotStore } from "@raft/snapshots";
import type { MemoryFileSystem } from "@raft/snapshots/testing";
import { archive, metaText } from "../archive/hand_made.ts";
import { bytes } from "../support/random.ts";
import { BASE } from "./recovery.ts";
import type { Stage } from "./store_client.ts";

/** A process's work, in which the power may be cut at any moment. */
export interface Scenario {
  readonly name: string;
  /** What was done before, all of it durable; nothing when left out. */
  readonly prepare?: (stage: Stage, disk: MemoryFileSystem) => Promise<void>;
  /** The work; on `disk` it may do what another process does. */
  readonly run: (stage: Stage, disk: MemoryFileSystem) => Promise<void>;
}

const SNAPSHOTS = `${BASE}/snapshots`;

/** Takes snapshots of index 1 to `count`, and closes the store. */
async function takeAll(
  stage: Stage,
  count: number,
  term = 1,
): Promise<string[]> {
  const store = await stage.open({ retain: 99 });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.push(
      await stage.take(store, { index, term, size: 5000 + 500 * index }),
    );
  }
  await store.close();
  stage.ledger.retain = 2;
  return ids;
}

/** A run that begins with the opening of the store and ends with its closing. */
function within(
  work: (
    store: SnapshotStore,
    stage: Stage,
    disk: MemoryFileSystem,
  ) => Promise<unknown>,
  options: Parameters<Stage["open"]>[0] = {},
): Scenario["run"] {
  return async (stage, disk) => {
    const store = await stage.open(options);
    await work(store, stage, disk);
    await store.close();
  };
}

function flipByte(disk: MemoryFileSystem, path: string): void {
  const bytes = disk.readFile(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  disk.writeFile(path, bytes);
}

/** Removes a directory and all that is in it, durably. */
async function removeTree(files: FileSystem, path: string): Promise<void> {
  for (const { name, kind } of await files.readDirectory(path)) {
    if (kind === "directory") await removeTree(files, `${path}/${name}`);
    else await files.removeFile(`${path}/${name}`);
  }
  await files.syncDirectory(path);
  await files.removeDirectory(path);
}

/** What every way to die has left behind: the next start has to sweep it. */
async function leaveBehind(disk: MemoryFileSystem): Promise<void> {
  const parts = ["state.bin", "meta.json"];
  for (const name of ["1-7-7.tmp", "1-8-8.deleted.tmp", "1-9-9.sealing.tmp"]) {
    for (const part of parts) {
      disk.writeFile(`${SNAPSHOTS}/${name}/${part}`, new Uint8Array(5000));
    }
  }
  disk.writeFile(`${SNAPSHOTS}/permTest`, new Uint8Array(0));
  disk.writeFile(`${SNAPSHOTS}/.lock`, new Uint8Array(10));
  await disk.makeDirectory(`${SNAPSHOTS}/2-1-1.tmp`, 0o700);
}

/** Takes a snapshot of each size. */
function takeSizes(...sizes: readonly number[]) {
  return async (store: SnapshotStore, stage: Stage) => {
    for (const [i, size] of sizes.entries()) {
      await stage.take(store, { index: i + 1, size });
    }
  };
}

/** Begins with snapshots in directories that can't be renamed. */
function takeUnrenamable(
  count: number,
  spoil: (
    ids: readonly string[],
    disk: MemoryFileSystem,
    stage: Stage,
  ) => void = () => {},
): NonNullable<Scenario["prepare"]> {
  return async (stage, disk) => {
    spoil(await takeAll(stage, count), disk, stage);
    disk.makeLowerLayer();
  };
}

/** Spoils all but the oldest. */
function spoilNewer(
  ids: readonly string[],
  disk: MemoryFileSystem,
  stage: Stage,
): void {
  for (const id of ids.slice(1)) {
    flipByte(disk, `${SNAPSHOTS}/${id}/state.bin`);
    stage.ledger.spoiled(id);
  }
}

/** What is removed and quarantined without being renamed. */
const unrenamable: readonly Scenario[] = [
  {
    name: "reaps what can't be renamed",
    prepare: takeUnrenamable(4),
    run: within((store) => store.reap()),
  },
  {
    name: "deletes what can't be renamed",
    prepare: takeUnrenamable(3),
    run: within(async (store, stage) => {
      const [newest, middle] = await store.list();
      if (newest !== undefined) await stage.delete(store, newest.id);
      if (middle !== undefined) await stage.delete(store, middle.id);
    }),
  },
  {
    name: "sets corrupt snapshots aside that can't be renamed",
    prepare: takeUnrenamable(4, spoilNewer),
    run: within(async (store, stage) => {
      await stage.restore(store);
      await stage.take(store, { index: 9, size: 2000 });
    }),
  },
];

/** All scenarios, by what the process does. */
export const scenarios: readonly Scenario[] = [
  {
    name: "makes a store where there is no directory",
    run: within(takeSizes(5000)),
  },
  {
    name: "takes snapshots in small blocks, and reaps",
    prepare: async (stage) => void await takeAll(stage, 0),
    run: within(takeSizes(0, 700, 9000, 1), { blockSize: 512 }),
  },
  {
    name: "takes snapshots in large blocks, keeping one",
    prepare: async (stage) => void await takeAll(stage, 0),
    run: within(takeSizes(20_000, 4096, 9000), { blockSize: 8192, retain: 1 }),
  },
  {
    name: "takes snapshots of a lower term than there are",
    prepare: async (stage) => void await takeAll(stage, 2, 9),
    run: within(takeSizes(3000, 6000)),
  },
  {
    name: "imports an archive",
    prepare: async (stage) => void await takeAll(stage, 1),
    run: within((store, stage) => {
      const state = bytes(5000, 7);
      const meta = metaText({ Index: 9, Size: state.length });
      return stage.import(store, archive({ meta, state }), state);
    }),
  },
  {
    name: "takes several snapshots at once",
    prepare: async (stage) => void await takeAll(stage, 1),
    run: within((store, stage) =>
      Promise.all(
        [2, 3, 4].map((index) => stage.take(store, { index, size: 5000 })),
      )
    ),
  },
  {
    name: "is closed while it takes snapshots",
    prepare: async (stage) => void await takeAll(stage, 1),
    run: async (stage) => {
      const store = await stage.open();
      const written = await Promise.all(
        [2, 3].map((index) => stage.write(store, { index, size: 5000 })),
      );
      const closing = written.map(({ sink, state }) =>
        stage.close(sink, state)
      );
      const outcomes = Promise.allSettled(closing);
      await store.close();
      await outcomes;
    },
  },
  {
    name: "gives snapshots up",
    prepare: async (stage) => void await takeAll(stage, 1),
    run: within(async (store, stage) => {
      const cancelled = await stage.write(store, { index: 5, size: 9000 });
      await cancelled.sink.cancel();
      const aborted = await stage.write(store, { index: 6, size: 100 });
      await aborted.sink.abort(new Error("given up"));
      await stage.take(store, { index: 7, size: 6000 });
      await stage.write(store, { index: 8, size: 9000 });
      // The store is closed with that one open.
    }),
  },
  {
    name: "reaps",
    prepare: async (stage) => void await takeAll(stage, 4),
    run: within((store) => store.reap()),
  },
  {
    name: "deletes",
    prepare: async (stage) => void await takeAll(stage, 3),
    run: within(async (store, stage) => {
      const [newest, middle] = await store.list();
      if (newest !== undefined) await stage.delete(store, newest.id);
      if (middle !== undefined) await stage.delete(store, middle.id);
    }),
  },
  {
    name: "deletes while it takes another",
    prepare: async (stage) => void await takeAll(stage, 2),
    run: within(async (store, stage) => {
      const [newest] = await store.list();
      await Promise.all([
        stage.take(store, { index: 3, size: 5000 }),
        newest && stage.delete(store, newest.id),
      ]);
    }),
  },
  {
    name: "sets corrupt snapshots aside",
    prepare: async (stage, disk) => {
      for (const id of (await takeAll(stage, 5)).slice(2)) {
        flipByte(disk, `${SNAPSHOTS}/${id}/state.bin`);
        stage.ledger.spoiled(id);
      }
    },
    run: within(async (store, stage) => {
      await stage.restore(store);
      await stage.take(store, { index: 9, size: 2000 });
    }),
  },
  {
    name: "seals what Go wrote, and what has bad checksums",
    prepare: async (stage, disk) => {
      const [first, second] = await takeAll(stage, 2);
      await disk.removeFile(`${SNAPSHOTS}/${first}/blocks.crc64`);
      flipByte(disk, `${SNAPSHOTS}/${second}/blocks.crc64`);
      if (second !== undefined) stage.ledger.blemished(second);
    },
    run: within(async (store, stage) => {
      for (const { id } of await store.list()) await stage.seal(store, id);
    }),
  },
  {
    name: "sweeps what others have left behind",
    prepare: async (stage, disk) => {
      await takeAll(stage, 1);
      await leaveBehind(disk);
    },
    run: within((store, stage) => stage.take(store, { index: 2, size: 3000 })),
  },
  {
    name: "exports archives, one in place of another",
    prepare: async (stage) => void await takeAll(stage, 2),
    run: within(async (store, stage) => {
      for (const { id } of await store.list()) {
        await stage.export(store, id, "/srv/backup.snap");
        await stage.export(store, id, `/srv/${id}.snap`);
      }
    }),
  },
  {
    name: "has its directory removed while it is open",
    prepare: async (stage) => void await takeAll(stage, 1),
    run: within(async (store, stage, disk) => {
      // What is done to the disk itself is not refused when the machine stops.
      await stage.files.stat(BASE);
      for (const id of stage.ledger.owed) stage.ledger.deleting(id);
      await removeTree(disk, BASE);
      await disk.syncDirectory("/srv");
      await stage.take(store, { index: 2, size: 3000 });
    }),
  },
  ...unrenamable,
];
