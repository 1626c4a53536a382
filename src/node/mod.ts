/**
 * What is only on Deno, Bun and Node, where there are files.
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
 *   code: "EIO",
 * });
 * await rm(directory, { recursive: true });
 * ```
 *
 * @module
 */

export { nodeFileSystem } from "../fs/node/file_system.ts";
