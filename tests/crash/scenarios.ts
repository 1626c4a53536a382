/**
 * The scenarios, which together do everything that a store does to a disk.
 *
 * @module
 */

import type { FileSystem, SnapshotStore } from "@raft/snapshots";
import type { MemoryFileSystem } from "@raft/snapshots/testing";
import { archive, metaText } from "../archive/hand_made.ts";
import { bytes } from "../support/random.ts";
import { BASE } from "./recovery.ts";
import type { StoreClient } from "./store_client.ts";

/** The work of a process, in which the power may be cut at any step. */
export interface Scenario {
  readonly name: string;
  /** The work before it, all of which is durable; nothing when left out. */
  readonly prepare?: (
    client: StoreClient,
    disk: MemoryFileSystem,
  ) => Promise<void>;
  /** The work; on `disk` it may act as another process. */
  readonly run: (client: StoreClient, disk: MemoryFileSystem) => Promise<void>;
}

const SNAPSHOTS = `${BASE}/snapshots`;

/** Takes snapshots of index 1 to `count`, and closes the store. */
async function takeAll(
  client: StoreClient,
  count: number,
  term = 1,
): Promise<string[]> {
  const store = await client.open({ retain: 99 });
  const ids: string[] = [];
  for (let index = 1; index <= count; index++) {
    ids.push(
      await client.take(store, { index, term, size: 5000 + 500 * index }),
    );
  }
  await store.close();
  client.expectations.retain = 2;
  return ids;
}

/** Opens the store, does the work with it, and closes it. */
function within(
  work: (
    store: SnapshotStore,
    client: StoreClient,
    disk: MemoryFileSystem,
  ) => Promise<unknown>,
  options: Parameters<StoreClient["open"]>[0] = {},
): Scenario["run"] {
  return async (client, disk) => {
    const store = await client.open(options);
    await work(store, client, disk);
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

/** Makes the remains of crashes at various steps: opening must remove them. */
async function leaveRemains(disk: MemoryFileSystem): Promise<void> {
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
  return async (store: SnapshotStore, client: StoreClient) => {
    for (const [i, size] of sizes.entries()) {
      await client.take(store, { index: i + 1, size });
    }
  };
}

/** Prepares snapshots in directories that can't be renamed. */
function takeUnrenamable(
  count: number,
  corrupt: (
    ids: readonly string[],
    disk: MemoryFileSystem,
    client: StoreClient,
  ) => void = () => {},
): NonNullable<Scenario["prepare"]> {
  return async (client, disk) => {
    corrupt(await takeAll(client, count), disk, client);
    disk.makeLowerLayer();
  };
}

/** Corrupts all but the oldest. */
function corruptNewer(
  ids: readonly string[],
  disk: MemoryFileSystem,
  client: StoreClient,
): void {
  for (const id of ids.slice(1)) {
    flipByte(disk, `${SNAPSHOTS}/${id}/state.bin`);
    client.expectations.corrupted(id);
  }
}

/** Snapshots are removed and quarantined without being renamed. */
const unrenamable: readonly Scenario[] = [
  {
    name: "reaps snapshots that can't be renamed",
    prepare: takeUnrenamable(4),
    run: within((store) => store.reap()),
  },
  {
    name: "deletes snapshots that can't be renamed",
    prepare: takeUnrenamable(3),
    run: within(async (store, client) => {
      const [newest, middle] = await store.list();
      if (newest !== undefined) await client.delete(store, newest.id);
      if (middle !== undefined) await client.delete(store, middle.id);
    }),
  },
  {
    name: "quarantines corrupt snapshots that can't be renamed",
    prepare: takeUnrenamable(4, corruptNewer),
    run: within(async (store, client) => {
      await client.restore(store);
      await client.take(store, { index: 9, size: 2000 });
    }),
  },
];

/** All scenarios, named by the work of the process. */
export const scenarios: readonly Scenario[] = [
  {
    name: "makes a store where there is no directory",
    run: within(takeSizes(5000)),
  },
  {
    name: "takes snapshots in small blocks, and reaps",
    prepare: async (client) => void await takeAll(client, 0),
    run: within(takeSizes(0, 700, 9000, 1), { blockSize: 512 }),
  },
  {
    name: "takes snapshots in large blocks, keeping one",
    prepare: async (client) => void await takeAll(client, 0),
    run: within(takeSizes(20_000, 4096, 9000), { blockSize: 8192, retain: 1 }),
  },
  {
    name: "takes snapshots of a lower term than there are",
    prepare: async (client) => void await takeAll(client, 2, 9),
    run: within(takeSizes(3000, 6000)),
  },
  {
    name: "imports an archive",
    prepare: async (client) => void await takeAll(client, 1),
    run: within((store, client) => {
      const state = bytes(5000, 7);
      const meta = metaText({ Index: 9, Size: state.length });
      return client.import(store, archive({ meta, state }), state);
    }),
  },
  {
    name: "takes several snapshots at once",
    prepare: async (client) => void await takeAll(client, 1),
    run: within((store, client) =>
      Promise.all(
        [2, 3, 4].map((index) => client.take(store, { index, size: 5000 })),
      )
    ),
  },
  {
    name: "takes two snapshots at once, keeping one",
    prepare: async (client) => void await takeAll(client, 2),
    run: within(
      (store, client) =>
        Promise.all(
          [3, 4].map((index) => client.take(store, { index, size: 5000 })),
        ),
      { retain: 1 },
    ),
  },
  {
    name: "deletes, reads a reaped snapshot, and is closed, while it reaps",
    prepare: async (client) => void await takeAll(client, 3),
    run: within(async (store, client) => {
      const [newest, , oldest] = await store.list();
      const source = oldest && await store.open(oldest.id);
      // Two are kept, and one of them is deleted.
      client.expectations.retain = 1;
      // The reap of the two older ones follows in the background.
      await client.take(store, { index: 4, size: 5000 });
      await Promise.all([
        newest && client.delete(store, newest.id),
        source && client.read(source),
      ]);
    }),
  },
  {
    name: "is closed while it takes snapshots",
    prepare: async (client) => void await takeAll(client, 1),
    run: async (client) => {
      const store = await client.open();
      const written = await Promise.all(
        [2, 3].map((index) => client.write(store, { index, size: 5000 })),
      );
      const closing = written.map(({ sink, state }) =>
        client.close(sink, state)
      );
      const outcomes = Promise.allSettled(closing);
      await store.close();
      await outcomes;
    },
  },
  {
    name: "cancels and aborts snapshots",
    prepare: async (client) => void await takeAll(client, 1),
    run: within(async (store, client) => {
      const cancelled = await client.write(store, { index: 5, size: 9000 });
      await cancelled.sink.cancel();
      const aborted = await client.write(store, { index: 6, size: 100 });
      await aborted.sink.abort(new Error("given up"));
      await client.take(store, { index: 7, size: 6000 });
      await client.write(store, { index: 8, size: 9000 });
      // The store is closed while that sink is open.
    }),
  },
  {
    name: "reaps",
    prepare: async (client) => void await takeAll(client, 4),
    run: within((store) => store.reap()),
  },
  {
    name: "deletes",
    prepare: async (client) => void await takeAll(client, 3),
    run: within(async (store, client) => {
      const [newest, middle] = await store.list();
      if (newest !== undefined) await client.delete(store, newest.id);
      if (middle !== undefined) await client.delete(store, middle.id);
    }),
  },
  {
    name: "deletes while it takes another",
    prepare: async (client) => void await takeAll(client, 2),
    run: within(async (store, client) => {
      const [newest] = await store.list();
      await Promise.all([
        client.take(store, { index: 3, size: 5000 }),
        newest && client.delete(store, newest.id),
      ]);
    }),
  },
  {
    name: "quarantines corrupt snapshots",
    prepare: async (client, disk) => {
      for (const id of (await takeAll(client, 5)).slice(2)) {
        flipByte(disk, `${SNAPSHOTS}/${id}/state.bin`);
        client.expectations.corrupted(id);
      }
    },
    run: within(async (store, client) => {
      await client.restore(store);
      await client.take(store, { index: 9, size: 2000 });
    }),
  },
  {
    name: "seals a snapshot of Go, and one with bad checksums",
    prepare: async (client, disk) => {
      const [first, second] = await takeAll(client, 2);
      await disk.removeFile(`${SNAPSHOTS}/${first}/blocks.crc64`);
      flipByte(disk, `${SNAPSHOTS}/${second}/blocks.crc64`);
      if (second !== undefined) client.expectations.checksumsCorrupted(second);
    },
    run: within(async (store, client) => {
      for (const { id } of await store.list()) await client.seal(store, id);
    }),
  },
  {
    name: "sweeps the remains of earlier processes",
    prepare: async (client, disk) => {
      await takeAll(client, 1);
      await leaveRemains(disk);
    },
    run: within((store, client) =>
      client.take(store, { index: 2, size: 3000 })
    ),
  },
  {
    name: "exports archives, one in place of another",
    prepare: async (client) => void await takeAll(client, 2),
    run: within(async (store, client) => {
      for (const { id } of await store.list()) {
        await client.export(store, id, "/srv/backup.snap");
        await client.export(store, id, `/srv/${id}.snap`);
      }
    }),
  },
  {
    name: "has its directory removed while it is open",
    prepare: async (client) => void await takeAll(client, 1),
    run: within(async (store, client, disk) => {
      // Changes to the disk itself are not refused once the process has stopped,
      // so this operation comes first: it is refused.
      await client.files.stat(BASE);
      for (const id of client.expectations.required) {
        client.expectations.deleting(id);
      }
      await removeTree(disk, BASE);
      await disk.syncDirectory("/srv");
      await client.take(store, { index: 2, size: 3000 });
    }),
  },
  ...unrenamable,
];
