/**
 * A store of snapshots in S3-compatible object storage, and one of archives as
 * they came.
 *
 * @module
 */

import { pickOptions, requireKnown } from "./option_names.ts";
import {
  S3_BACKEND_OPTIONS,
  type S3BackendOptions,
} from "./backends/s3/options.ts";
import { S3Backend } from "./backends/s3/s3_backend.ts";
import type { SnapshotStore } from "./snapshot/stores.ts";
import { STORE_OPTIONS, type StoreOptions } from "./store/options.ts";
import { openSnapshotStore } from "./store/open_store.ts";

export type {
  ArchiveLease,
  ArchiveNaming,
  ArchiveSink,
  ArchiveStore,
  StoredArchive,
} from "./archive_store/archive_store.ts";
export {
  openS3ArchiveStore,
  type S3ArchiveStoreOptions,
} from "./archive_store/s3_archive_store.ts";
export type { Checksum } from "./backends/s3/client/multipart.ts";
export type { ConditionalWrites } from "./backends/s3/client/objects.ts";
export type {
  S3Credentials,
  S3CredentialsSource,
} from "./backends/s3/credentials.ts";
export {
  hasS3Snapshots,
  type HasS3SnapshotsOptions,
} from "./backends/s3/has_snapshots.ts";
export type { RetryOptions } from "./net/retry.ts";
export type { EndpointOptions } from "./backends/s3/endpoint.ts";
export type { S3BackendOptions } from "./backends/s3/options.ts";
export type { Fetch } from "./net/exchange.ts";
export type { SnapshotReader, SnapshotStore } from "./snapshot/stores.ts";
export type { StoreOptions } from "./store/options.ts";

/** Options of {@linkcode openS3SnapshotStore}. */
export interface S3SnapshotStoreOptions extends StoreOptions, S3BackendOptions {
  /**
   * How many snapshots to keep; an integer of 1 or more, or `Infinity`, which
   * keeps all of them: a bucket has rules of its own. @default {Infinity}
   */
  readonly retain?: number | undefined;
}

/**
 * Opens the store at `s3://bucket/prefix`: the snapshots are the objects under
 * `prefix/snapshots/`, named as the files of a directory are, so that a bucket
 * that is copied to a disk is one that Go's `FileSnapshotStore` opens. Removes
 * snapshots that writers have left unfinished for more than a day. Any number
 * of processes may have the store open and write to it. The caller must close
 * the store.
 *
 * @example Keep a snapshot in a bucket
 * ```ts
 * import { openS3SnapshotStore } from "@raft/snapshots/s3";
 *
 * async function backUp(state: Uint8Array): Promise<void> {
 *   const store = await openS3SnapshotStore("s3://backups/raft", {
 *     endpoint: "https://minio.example:9000",
 *   });
 *   const configuration = { servers: [] };
 *   const init = { index: 10, term: 3, configuration, configurationIndex: 2 };
 *   await store.save(init, state);
 *   await store.close();
 * }
 * ```
 *
 * @throws {StoreAccessError} when the bucket can't be used; the message says
 * what to do.
 * @throws {TypeError} when the location or an option is wrong.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function openS3SnapshotStore(
  location: string | URL,
  options: S3SnapshotStoreOptions = {},
): Promise<SnapshotStore> {
  requireKnown(options, { ...STORE_OPTIONS, ...S3_BACKEND_OPTIONS });
  const backend = new S3Backend(location, options);
  const retain = options.retain ?? Infinity;
  const storeOptions = pickOptions<StoreOptions>(options, STORE_OPTIONS);
  return await openSnapshotStore(backend, { ...storeOptions, retain });
}
