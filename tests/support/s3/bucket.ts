/**
 * Buckets to test with: one in memory, or one of a real server, which the
 * environment names (`scripts/test_s3.ts` starts one).
 */

import type { StoreOptions } from "@raft/snapshots";
import { pickOptions } from "../../../src/option_names.ts";
import { STORE_OPTIONS } from "../../../src/store/options.ts";
import process from "node:process";
import type { SnapshotStore } from "@raft/snapshots";
import type { S3SnapshotStoreOptions } from "@raft/snapshots/s3";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { S3Client } from "../../../src/backends/s3/client/client.ts";
import { KeyRing } from "../../../src/backends/s3/credentials.ts";
import { resolveEndpoint } from "../../../src/backends/s3/endpoint.ts";
import {
  type ListedObject,
  listObjects,
  listUploads,
} from "../../../src/backends/s3/client/listing.ts";
import {
  deleteObject,
  putObject,
} from "../../../src/backends/s3/client/objects.ts";
import {
  S3Backend,
  type S3Tuning,
} from "../../../src/backends/s3/s3_backend.ts";
import type { Fetch } from "../../../src/net/exchange.ts";
import {
  resolveRetryOptions,
  type RetryOptions,
} from "../../../src/net/retry.ts";
import { Log } from "../store_fixture.ts";
import { MemoryS3, type MemoryS3Options } from "./memory_s3.ts";

/** The server that the environment names. */
const server = process.env.S3_TEST_ENDPOINT;

/** Whether the tests run on a real server. */
export const isRealServer: boolean = server !== undefined;

/** Tries again at once, and for long enough. */
export const QUICK: RetryOptions = {
  budgetMs: 20_000,
  pauseMs: 1,
  pauseMsMax: 10,
};

/** How a store is opened. */
export interface OpenBucketOptions extends S3SnapshotStoreOptions {
  readonly tuning?: S3Tuning;
}

let bucketCount = 0;

/** A part of a bucket for one test. */
export class TestBucket {
  readonly location: string;
  readonly endpoint: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly log = new Log();
  /** The server, when it is in memory. */
  readonly memory: MemoryS3 | undefined;
  readonly #prefix: string;
  readonly #fetch: Fetch;
  readonly #client: S3Client;

  constructor(memory: MemoryS3 | undefined) {
    this.memory = memory;
    this.#prefix = `test-${Date.now()}-${process.pid}-${++bucketCount}`;
    this.location = `s3://${memory?.bucket ?? "bucket"}/${this.#prefix}`;
    this.endpoint = memory?.endpoint ?? server ?? "";
    const { accessKeyId, secretAccessKey } = memory?.keys ??
      { accessKeyId: "key", secretAccessKey: "secret" };
    this.credentials = { accessKeyId, secretAccessKey };
    this.#fetch = memory?.fetch ?? fetch;
    this.#client = new S3Client({
      endpoint: resolveEndpoint(memory?.bucket ?? "bucket", {
        endpoint: this.endpoint,
      }),
      keys: new KeyRing(this.credentials, Date.now),
      fetch: this.#fetch,
      stallTimeoutMs: 30_000,
      retry: resolveRetryOptions(QUICK),
    });
  }

  /** Makes requests, without any fault. */
  get fetch(): Fetch {
    return this.#fetch;
  }

  /** Opens the store. */
  async open(options: OpenBucketOptions = {}): Promise<SnapshotStore> {
    const given = {
      endpoint: this.endpoint,
      credentials: this.credentials,
      fetch: this.#fetch,
      logger: this.log,
      retain: Infinity,
      graceMs: 0,
      ...options,
    };
    const tuning = { retry: QUICK, ...options.tuning };
    const backend = new S3Backend(this.location, given, tuning);
    const storeOptions = pickOptions<StoreOptions>(given, STORE_OPTIONS);
    return await openSnapshotStore(backend, storeOptions);
  }

  /** The key of an object of a snapshot. */
  key(id: string, part: string): string {
    return `${this.#prefix}/snapshots/${id}/${part}`;
  }

  /** All objects, by their names under `snapshots/`. */
  async objects(): Promise<Map<string, ListedObject>> {
    const root = `${this.#prefix}/snapshots/`;
    const all = await listObjects(this.#client, root);
    return new Map(all.map((each) => [each.key.slice(root.length), each]));
  }

  /** The names of all objects, sorted. */
  async names(): Promise<string[]> {
    return [...(await this.objects()).keys()].sort();
  }

  /** How many uploads have not ended. */
  async uploadCount(): Promise<number> {
    return (await listUploads(this.#client, this.#prefix)).length;
  }

  async read(id: string, part: string): Promise<Uint8Array<ArrayBuffer>> {
    const begun = await this.#client.begin({
      method: "GET",
      key: this.key(id, part),
    });
    return await begun.readAll(2 ** 31);
  }

  async write(
    id: string,
    part: string,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const options = { conditionalWrites: "none", putHeaders: {} } as const;
    await putObject(this.#client, { key: this.key(id, part), body }, options);
  }

  async remove(id: string, part: string): Promise<void> {
    await deleteObject(this.#client, this.key(id, part));
  }

  /** Flips one bit of a state. */
  async corrupt(id: string, part = "state.bin"): Promise<void> {
    const bytes = await this.read(id, part);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await this.write(id, part, bytes);
  }
}

/** A bucket: of the real server where there is one, else in memory. */
export function makeBucket(options: MemoryS3Options = {}): TestBucket {
  return isRealServer ? new TestBucket(undefined) : memoryBucket(options);
}

/** A bucket in memory. */
export function memoryBucket(options: MemoryS3Options = {}): TestBucket {
  return new TestBucket(new MemoryS3(options));
}
