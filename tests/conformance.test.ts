/**
 * The suite for every store, on every store of ours.
 */

import { describe, it } from "node:test";
import {
  DiscardSnapshotStore,
  MemorySnapshotStore,
  openFileSnapshotStore,
} from "@raft/snapshots";
import {
  type ConformanceCheck,
  MemoryFileSystem,
  snapshotStoreConformance,
} from "@raft/snapshots/testing";
import { temporaryDirectory } from "./support/temporary_directory.ts";

const retain = 3;

function declare(name: string, checks: readonly ConformanceCheck[]): void {
  describe(name, () => {
    for (const check of checks) it(check.name, check.run);
  });
}

declare(
  "a file store on a disk",
  snapshotStoreConformance(async () =>
    await openFileSnapshotStore(await temporaryDirectory(), { retain })
  ),
);

declare(
  "a file store on a disk, with small blocks",
  snapshotStoreConformance(async () =>
    await openFileSnapshotStore(await temporaryDirectory(), {
      retain,
      blockSize: 512,
    })
  ),
);

declare(
  "a file store in memory",
  snapshotStoreConformance(() =>
    openFileSnapshotStore("/data", {
      retain,
      fileSystem: new MemoryFileSystem(),
    })
  ),
);

declare(
  "a memory store",
  snapshotStoreConformance(() => new MemorySnapshotStore(), {
    keeps: "newest",
  }),
);

declare(
  "a discard store",
  snapshotStoreConformance(() => new DiscardSnapshotStore(), {
    keeps: "nothing",
  }),
);
