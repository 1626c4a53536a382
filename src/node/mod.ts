/**
 * For Deno, Bun and Node only: their files, and snapshots as Node's streams.
 * The types of the streams are Node's (`@types/node`); Deno brings its own.
 *
 * @example Pipe Node streams into a snapshot, and out of it
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { toNodeReadable, toNodeWritable } from "@raft/snapshots/node";
 * import assert from "node:assert/strict";
 * import { Readable } from "node:stream";
 * import { text } from "node:stream/consumers";
 * import { pipeline } from "node:stream/promises";
 *
 * const store = new MemorySnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await pipeline(Readable.from(["the ", "state"]), toNodeWritable(sink));
 *
 * const source = await store.open(sink.id);
 * assert.equal(await text(toNodeReadable(source)), "the state");
 * ```
 *
 * @example Let the disk fail in a test
 * ```ts
 * import { openFileSnapshotStore } from "@raft/snapshots";
 * import { nodeFileSystem } from "@raft/snapshots/node";
 * import { failOn, FaultyFileSystem } from "@raft/snapshots/testing";
 * import assert from "node:assert/strict";
 * import { mkdtemp, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const directory = await mkdtemp(join(tmpdir(), "snapshots-"));
 * const fileSystem = new FaultyFileSystem(
 *   nodeFileSystem,
 *   failOn("syncDirectory", "EIO"),
 * );
 * await assert.rejects(openFileSnapshotStore(directory, { fileSystem }), {
 *   name: "StoreAccessError",
 *   systemCode: "EIO",
 * });
 * await rm(directory, { recursive: true });
 * ```
 *
 * @module
 */

export { nodeFileSystem, plainNodeFileSystem } from "../fs/node/file_system.ts";
export { type RequestHandler, toNodeListener } from "./listener.ts";
export { toNodeReadable } from "./readable.ts";
export { toNodeWritable } from "./writable.ts";
