/**
 * A user's program: TypeScript, strict, for Node. It need only type-check and
 * run to its end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  openFileSnapshotStore,
  SnapshotError,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotStore,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { crc64 } from "@raft/snapshots/crc64";
import { nodeFileSystem } from "@raft/snapshots/node";
import {
  openS3SnapshotStore,
  type S3SnapshotStoreOptions,
} from "@raft/snapshots/s3";
import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";

const state = new TextEncoder().encode("123456789");

async function save(store: SnapshotStore): Promise<SnapshotMeta> {
  const sink = await store.create({
    index: 10n,
    term: 3,
    configuration: {
      servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
    },
    configurationIndex: 2n,
  });
  await new Blob([state]).stream().pipeTo(sink);
  return sink.meta;
}

async function use(store: SnapshotStore): Promise<void> {
  const { id, crc, size } = await save(store);
  assert.equal(size, state.length);
  assert.equal(crc, crc64(state));
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.open(id)) chunks.push(chunk);
  assert.deepEqual(Buffer.concat(chunks), Buffer.from(state));
  await assert.rejects(store.open("1-1-1"), (error: unknown) => {
    return error instanceof SnapshotNotFoundError &&
      error instanceof SnapshotError;
  });
  const copy = await importArchive(store, exportArchive(store, id));
  assert.equal(copy.crc, crc);
  await store.close();
}

const s3Options: S3SnapshotStoreOptions = {
  endpoint: "http://127.0.0.1:1",
  credentials: { accessKeyId: "key", secretAccessKey: "secret" },
  fetch: () => Promise.resolve(new Response("", { status: 404 })),
};
await assert.rejects(openS3SnapshotStore("s3://bucket/raft", s3Options), {
  name: "StoreAccessError",
});

const directory = await mkdtemp(join(tmpdir(), "raft-snapshots-"));
try {
  await use(await openFileSnapshotStore(directory, { retain: 3 }));
  const wrapped = new FaultyFileSystem(nodeFileSystem);
  await use(await openFileSnapshotStore(directory, { fileSystem: wrapped }));
  const fileSystem = new MemoryFileSystem();
  await use(await openFileSnapshotStore("/data", { fileSystem }));
} finally {
  await rm(directory, { recursive: true });
}
