/**
 * For programs that build on this library, and for its own tests: file systems
 * that lose power or fail on request, and the checks that every snapshot store
 * and every file system must pass.
 *
 * @example Restore after a power cut
 * ```ts
 * import { openFileSnapshotStore } from "@raft/snapshots";
 * import { MemoryFileSystem } from "@raft/snapshots/testing";
 * import assert from "node:assert/strict";
 *
 * const fileSystem = new MemoryFileSystem();
 * const store = await openFileSnapshotStore("/data", { fileSystem });
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["the state"]).stream().pipeTo(sink);
 *
 * const left = fileSystem.crash({ seed: 1, keptPercent: 0, renames: "atomic" });
 * const after = await openFileSnapshotStore("/data", { fileSystem: left });
 * const source = await after.open(sink.id);
 * assert.equal(await new Response(source).text(), "the state");
 * ```
 *
 * @module
 */

export type { CrashChoice } from "../fs/memory/crash_choice.ts";
export {
  failAt,
  failOn,
  type FailOnOptions,
  type Fault,
  type Injector,
  type Operation,
  type OperationName,
} from "../fs/faulty/fault.ts";
export { FaultyFileSystem } from "../fs/faulty/file_system.ts";
export { MemoryFileSystem } from "../fs/memory/file_system.ts";
export {
  type ConformanceCheck,
  type ConformanceOptions,
  type Damage,
  type Keeps,
  type MakeStore,
  snapshotStoreConformance,
  type StoreToCheck,
} from "./conformance.ts";
export {
  fileSystemConformance,
  type FileSystemPlace,
  type MakeFileSystem,
} from "./file_system/conformance.ts";
