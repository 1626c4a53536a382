/**
 * Raft snapshots as Web Streams: durable, checked, and byte-compatible with
 * HashiCorp Raft's file snapshot store.
 *
 * @example Take a snapshot and read it back
 * ```ts
 * import { openFileSnapshotStore } from "@raft/snapshots";
 *
 * const store = await openFileSnapshotStore("./data", { retain: 3 });
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: {
 *     servers: [{ suffrage: "voter", id: "a", address: "10.0.0.1:7000" }],
 *   },
 *   configurationIndex: 2n,
 * });
 * await new Blob(["the state"]).stream().pipeTo(sink);
 *
 * const source = await store.open(sink.id);
 * console.log(await new Response(source).text());
 * await store.close();
 * ```
 *
 * @module
 */

export { DiscardSnapshotStore } from "./src/discard_snapshot_store.ts";
export { type CopyOptions, copySnapshot } from "./src/store/copy.ts";
export {
  type CorruptionReason,
  InvalidSnapshotIdError,
  NoUsableSnapshotError,
  OperationUnsupportedError,
  SnapshotCorruptError,
  SnapshotError,
  type SnapshotErrorCode,
  SnapshotNotFoundError,
  SnapshotPublishError,
  SnapshotRetainedError,
  SnapshotTooLargeError,
  SnapshotUnreadableError,
  StoreAccessError,
  StoreClosedError,
  StoreLockedError,
  systemCode,
  UnsupportedSnapshotVersionError,
} from "./src/errors.ts";
export {
  isSnapshotError,
  type SnapshotErrors,
} from "./src/is_snapshot_error.ts";
export type { ErrorJson, JsonValue } from "./src/error_json.ts";
export {
  type FileSnapshotStoreOptions,
  openFileSnapshotStore,
} from "./src/file_snapshot_store.ts";
export type {
  DirectoryEntry,
  FileHandle,
  FileKind,
  FileLock,
  FileStat,
  FileSystem,
  HeldDirectory,
  LockOptions,
  LockState,
  OpenMode,
} from "./src/fs/file_system.ts";
export type { LockOwner } from "./src/lock_owner.ts";
export type { Logger } from "./src/logger.ts";
export {
  MemorySnapshotStore,
  type MemorySnapshotStoreOptions,
} from "./src/memory_snapshot_store.ts";
export { parseSnapshotId, type SnapshotIdInfo } from "./src/snapshot/id.ts";
export { decodeMeta, encodeMeta } from "./src/snapshot/meta/file.ts";
export type {
  BackendEvent,
  StoreEvent,
  StoreEvents,
} from "./src/snapshot/events.ts";
export { decodePeers } from "./src/snapshot/meta/peers.ts";
export type {
  Configuration,
  CreateOptions,
  ExpectedState,
  OpenOptions,
  Progress,
  RestoreOptions,
  Restorer,
  RestoreResult,
  SaveOptions,
  Server,
  SkippedSnapshot,
  SnapshotHeader,
  SnapshotInit,
  SnapshotMeta,
  SnapshotMetaFields,
  SnapshotMetaJson,
  SnapshotSink,
  SnapshotSource,
  StateInput,
  Suffrage,
  VerifyMode,
  VerifyOptions,
  VerifyReport,
} from "./src/snapshot/types.ts";
export {
  applyRetentionPolicy,
  type RetentionDecision,
  type RetentionOptions,
  type RetentionPeriod,
  type RetentionPolicy,
} from "./src/snapshot/retention_policy.ts";
export type {
  CorruptEntry,
  ListEntry,
  QuarantinedEntry,
  UnreadableEntry,
  UnsupportedEntry,
  UsableEntry,
} from "./src/snapshot/listing.ts";
export type {
  CleanOptions,
  CleanReport,
  QuarantinedSnapshot,
  StoreInspection,
  StoreLock,
  UnfinishedSnapshot,
} from "./src/snapshot/inspection.ts";
export type { SnapshotReader, SnapshotStore } from "./src/snapshot/stores.ts";
export type { FileBackendOptions } from "./src/backends/file/options.ts";
export { printable } from "./src/text.ts";
export { type LogLine, toLogLine } from "./src/store/events.ts";
export type { SnapshotOrder, StoreOptions } from "./src/store/options.ts";
