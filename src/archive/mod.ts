/**
 * The `.snap` files of Consul, Nomad and Vault, as web streams: a snapshot as a
 * compressed tar, with its metadata and SHA-256 sums beside its state; and
 * directories that such files are kept in as they are.
 *
 * @module
 */

export type {
  ArchiveLease,
  ArchiveNaming,
  ArchiveSink,
  ArchiveStore,
  StoredArchive,
} from "../archive_store/archive_store.ts";
export {
  type FileArchiveStoreOptions,
  openFileArchiveStore,
} from "../archive_store/file_archive_store.ts";
export { type ArchiveFault, SnapshotArchiveError } from "./archive_error.ts";
export type { ArchiveMeta, ArchiveMetaJson } from "./archive_meta.ts";
export type { ArchiveLookalike } from "./first_bytes.ts";
export {
  type ArchiveDestination,
  type CopiedArchive,
  copyArchive,
  type CopyArchiveOptions,
} from "./copy_archive.ts";
export { exportArchive, type ExportArchiveOptions } from "./export_archive.ts";
export { importArchive, type ImportArchiveOptions } from "./import_archive.ts";
export {
  type ArchiveSource,
  readArchive,
  type ReadArchiveOptions,
} from "./read_archive.ts";
