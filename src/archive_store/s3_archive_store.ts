/**
 * Archives in a bucket of S3-compatible object storage.
 *
 * @module
 */

import {
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  SnapshotRetainedError,
} from "../errors.ts";
import type { RetryOptions } from "../net/retry.ts";
import { describe } from "../text.ts";
import { type OptionNames, requireKnown } from "../option_names.ts";
import type { S3Client } from "../backends/s3/client/client.ts";
import {
  InDoubtError,
  S3Failure,
  toAccessError,
} from "../backends/s3/client/failure.ts";
import {
  type ListedObject,
  listObjects,
  listUploads,
} from "../backends/s3/client/listing.ts";
import { abortUpload } from "../backends/s3/client/multipart.ts";
import { deleteObject } from "../backends/s3/client/objects.ts";
import { makeClient } from "../backends/s3/make_client.ts";
import { formatLocation, parseLocation } from "../backends/s3/location.ts";
import {
  type ResolvedS3Options,
  resolveS3Options,
  S3_BACKEND_OPTIONS,
  type S3BackendOptions,
} from "../backends/s3/options.ts";
import { isOlder } from "../backends/s3/parts.ts";
import { RemoteState } from "../backends/s3/state_reader.ts";
import { choosePartSize, StateUpload } from "../backends/s3/state_upload.ts";
import {
  type ArchiveLease,
  type ArchiveNaming,
  type ArchiveSink,
  type ArchiveStore,
  type StoredArchive,
  SWEEP_AFTER_MS,
} from "./archive_store.ts";
import { formatName, newestFirst, parseName, requireName } from "./name.ts";
import { type LeaseTimes, takeS3Lease } from "./s3_lease.ts";

/** Options of {@linkcode openS3ArchiveStore}. */
export interface S3ArchiveStoreOptions
  extends Omit<S3BackendOptions, "graceMs" | "sweep" | "sweepAfterMs"> {}

const { graceMs: _g, sweep: _s, sweepAfterMs: _a, ...OPTIONS } =
  S3_BACKEND_OPTIONS;

/** Settings for tests, which users can't change. */
export interface S3ArchiveTuning {
  /** How requests are made again. */
  readonly retry?: RetryOptions;
  /** The size of parts, also one that S3 does not take. */
  readonly partSize?: number;
  /** The times of the lease. */
  readonly lease?: LeaseTimes;
}

/** The object that the lease is. */
const LEASE = "lease.json";

/** How many bytes are read at a time. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Opens the store of archives at `s3://bucket/prefix`: the objects
 * `prefix/<index>-<unixMs>.snap`. A large archive is uploaded in parts, and is
 * visible once all of them are there. The lease is the object
 * `prefix/lease.json`, which its holder renews; the server's clock says when it
 * ends. It needs conditional writes, also those that replace an object of a known
 * version (`If-Match`).
 *
 * @example Copy an archive to a bucket
 * ```ts
 * import { copyArchive } from "@raft/snapshots/archive";
 * import { openS3ArchiveStore } from "@raft/snapshots/s3";
 *
 * async function backUp(file: Blob): Promise<void> {
 *   const backups = openS3ArchiveStore("s3://backups/consul");
 *   await copyArchive(
 *     file.stream(),
 *     ({ index }) => backups.create({ index }),
 *   );
 * }
 * ```
 *
 * @throws {TypeError} when the location or an option is wrong.
 * @throws {RangeError} when an option is out of its bounds.
 */
export function openS3ArchiveStore(
  location: string | URL,
  options: S3ArchiveStoreOptions = {},
): ArchiveStore {
  requireKnown(options, OPTIONS as OptionNames<S3ArchiveStoreOptions>);
  return new S3ArchiveStore(location, options);
}

/** {@linkcode openS3ArchiveStore} makes it; tests do, to tune it. */
export class S3ArchiveStore implements ArchiveStore {
  readonly place: string;
  readonly #client: S3Client;
  readonly #options: ResolvedS3Options;
  readonly #tuning: S3ArchiveTuning;
  /** The prefix of the keys. */
  readonly #root: string;

  constructor(
    location: string | URL,
    options: S3ArchiveStoreOptions,
    tuning: S3ArchiveTuning = {},
  ) {
    const parsed = parseLocation(location);
    this.#client = makeClient(parsed, options, { retry: tuning.retry });
    this.#options = resolveS3Options(options);
    this.#tuning = tuning;
    this.#root = parsed.prefix === "" ? "" : `${parsed.prefix}/`;
    this.place = formatLocation(parsed);
  }

  async list(): Promise<StoredArchive[]> {
    const objects = await this.#run(
      `list ${this.place}`,
      () => listObjects(this.#client, this.#root, { isFlat: true }),
    );
    return objects.flatMap(({ key, size }) => {
      const named = this.#parse(key);
      return named === undefined ? [] : { ...named, size };
    }).sort(newestFirst);
  }

  // deno-lint-ignore require-await -- errors are rejections
  async create(naming: ArchiveNaming): Promise<ArchiveSink> {
    const name = formatName(naming);
    const doing = `write ${this.place}/${name}`;
    const upload = new StateUpload(this.#client, {
      ...this.#options,
      key: this.#root + name,
      nonce: crypto.randomUUID(),
      partSize: this.#tuning.partSize ?? choosePartSize(this.#options.partSize),
      expectedSize: undefined,
    });
    // A sweep removes the parts that can't be removed now.
    const discard = () => upload.abort().catch(() => {});
    const orDiscard = async (step: () => Promise<void>) => {
      try {
        await step();
      } catch (error) {
        await discard();
        const failure = toAccessError(doing, error);
        if (!(error instanceof InDoubtError)) throw failure;
        throw new SnapshotPublishError(
          `${describe(failure)}; the archive may be there nevertheless`,
          { cause: failure, published: true },
        );
      }
    };
    const sink = new WritableStream<Uint8Array>({
      write: (chunk) => orDiscard(async () => await upload.append(chunk)),
      close: () => orDiscard(() => upload.complete()),
      abort: discard,
    }, { highWaterMark: 0 });
    return Object.assign(sink, { archiveName: name });
  }

  async open(name: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const what = `${this.place}/${requireName(name)}`;
    const object = await this.#find(name, what);
    const range = { start: 0, end: object.size };
    const reader = new RemoteState(this.#client, { what, object, range });
    let position = 0;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const buffer = new Uint8Array(CHUNK_BYTES);
        const count = await reader.read(buffer, position);
        position += count;
        if (count > 0) return controller.enqueue(buffer.slice(0, count));
        await reader.close();
        controller.close();
      },
      cancel: () => reader.close(),
    }, { highWaterMark: 0 });
  }

  async delete(name: string): Promise<void> {
    const key = this.#root + requireName(name);
    const doing = `remove ${this.place}/${name}`;
    await this.#run(doing, async () => {
      try {
        await deleteObject(this.#client, key);
      } catch (error) {
        if (!(error instanceof S3Failure) || !error.isDenied) throw error;
        throw new SnapshotRetainedError(
          `Cannot ${doing}: the bucket does not allow it, by its rules or by ` +
            "the rights of the credentials",
          { cause: error },
        );
      }
    });
  }

  async sweep(olderThanMs = SWEEP_AFTER_MS): Promise<string[]> {
    const removed: string[] = [];
    await this.#run(`clean ${this.place}`, async () => {
      for (const upload of await listUploads(this.#client, this.#root)) {
        const named = this.#parse(upload.key);
        if (named === undefined) continue;
        const parts = { client: this.#client };
        if (!isOlder(parts, upload.initiated, olderThanMs)) continue;
        await abortUpload(this.#client, upload);
        removed.push(named.name);
      }
    });
    return removed;
  }

  async lease(): Promise<ArchiveLease> {
    const key = this.#root + LEASE;
    return await this.#run(
      `take the lease ${this.place}/${LEASE}`,
      () =>
        takeS3Lease(this.#client, {
          key,
          place: `${this.place}/${LEASE}`,
          times: this.#tuning.lease,
          write: this.#options,
        }),
    );
  }

  /** The name in the key of an archive. */
  #parse(key: string) {
    if (!key.startsWith(this.#root)) return undefined;
    return parseName(key.slice(this.#root.length));
  }

  async #find(name: string, what: string): Promise<ListedObject> {
    const key = this.#root + name;
    const objects = await this.#run(
      `look at ${what}`,
      () => listObjects(this.#client, key),
    );
    const found = objects.find((each) => each.key === key);
    if (found !== undefined) return found;
    throw new SnapshotNotFoundError(`Cannot find ${what}`);
  }

  async #run<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      throw toAccessError(doing, error);
    }
  }
}
