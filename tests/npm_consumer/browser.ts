/**
 * A user's program for a browser: it need only type-check, without the types of
 * Node, and without skipping the package's declarations.
 *
 * @module
 */

import { MemorySnapshotStore, type SnapshotMeta } from "@raft/snapshots";
import * as archive from "@raft/snapshots/archive";
import * as backend from "@raft/snapshots/backend";
import * as crc64 from "@raft/snapshots/crc64";
import * as node from "@raft/snapshots/node";
import * as testing from "@raft/snapshots/testing";

/** All that can be imported. */
export const all: unknown[] = [archive, backend, crc64, node, testing];

/** Saves a file that the user has chosen. */
export async function save(file: File): Promise<SnapshotMeta> {
  const store = new MemorySnapshotStore();
  const sink = await store.create({
    index: 10n,
    term: 3n,
    configuration: { servers: [] },
    configurationIndex: 2n,
  });
  await file.stream().pipeTo(sink);
  const source = await store.open(sink.id);
  await source.cancel();
  await source[Symbol.asyncDispose]();
  return source.meta;
}
