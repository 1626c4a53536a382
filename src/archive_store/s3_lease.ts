/**
 * The lease of a bucket: an object that its holder replaces again and again.
 * Each write has the condition that the object still has the version that was
 * read, so that exactly one process gets the lease. Ages are measured by the
 * server's clock only, so that clocks need not agree.
 *
 * @module
 */

import { pause } from "../backend/pause.ts";
import { StoreAccessError, StoreLockedError } from "../errors.ts";
import type { S3Answer } from "../backends/s3/client/answer.ts";
import type { S3Client } from "../backends/s3/client/client.ts";
import { S3Failure } from "../backends/s3/client/failure.ts";
import {
  absenceHeaders,
  type WriteOptions,
} from "../backends/s3/client/objects.ts";
import { lengthOf } from "../net/body_length.ts";
import {
  hostName,
  processId,
  runtimeName,
} from "../runtime/process_identity.ts";
import type { ArchiveLease } from "./archive_store.ts";
import {
  decodeLease,
  encodeLease,
  type LeaseRecord,
  mayBeCutLease,
} from "./lease_record.ts";

/** How long a lease lasts, in milliseconds. */
export interface LeaseTimes {
  /** After its last renewal, by the server's clock. */
  readonly leaseMs: number;
  /** Between renewals. */
  readonly renewMs: number;
}

/** With a look each 10 seconds, the next process takes over within a minute. */
const TIMES: LeaseTimes = { leaseMs: 30_000, renewMs: 8_000 };

/** Which lease is taken, and how. */
export interface LeaseToTake {
  readonly key: string;
  /** Where it is, for messages. */
  readonly place: string;
  readonly times: LeaseTimes | undefined;
  readonly write: WriteOptions;
}

/** The lease as it was read. */
interface FoundLease {
  readonly record: LeaseRecord;
  /** Its version, for conditions. */
  readonly version: string;
  /** How long ago it was written, in milliseconds, by the server's clock. */
  readonly ageMs: number;
}

/**
 * Takes the lease.
 *
 * @throws {StoreLockedError} when another process holds it.
 * @throws {StoreAccessError} when the server has no conditional writes, or
 * something else is in the place of the lease.
 */
export async function takeS3Lease(
  client: S3Client,
  lease: LeaseToTake,
): Promise<ArchiveLease> {
  if (lease.write.conditionalWrites === "none") {
    throw new StoreAccessError(
      `Cannot take the lease ${lease.place}: a lease needs conditional writes, ` +
        'which conditionalWrites: "none" turns off',
    );
  }
  const object = new LeaseObject(client, lease);
  const { leaseMs } = lease.times ?? TIMES;
  const record = {
    pid: processId(),
    host: hostName(),
    runtime: runtimeName(),
    since: client.serverTime,
    token: crypto.randomUUID(),
    renewal: 0,
    leaseMs,
    released: false,
  };
  const found = await object.read();
  if (found !== undefined && isHeld(found)) throw held(lease, found);
  const startedAt = performance.now();
  const version = await object.write(record, found?.version);
  if (version !== undefined) {
    return new HeldLease(object, { record, version, startedAt }, lease);
  }
  throw held(lease, await object.read());
}

function isHeld({ record, ageMs }: FoundLease): boolean {
  return !record.released && ageMs <= record.leaseMs;
}

function held(
  { place }: LeaseToTake,
  found: FoundLease | undefined,
): StoreLockedError {
  const seconds = Math.ceil((found?.record.leaseMs ?? 0) / 1000);
  const hint = `the lease ends ${seconds} s after its last renewal`;
  return new StoreLockedError(place, found?.record, { hint });
}

/** The object, read and written under conditions. */
class LeaseObject {
  readonly #client: S3Client;
  readonly #lease: LeaseToTake;

  constructor(client: S3Client, lease: LeaseToTake) {
    this.#client = client;
    this.#lease = lease;
  }

  async read(signal?: AbortSignal): Promise<FoundLease | undefined> {
    const { key, place } = this.#lease;
    let found: FoundLease | undefined;
    try {
      const request = { method: "GET", key, signal } as const;
      found = await this.#client.call(request, (answer) => this.#look(answer));
    } catch (error) {
      if (error instanceof S3Failure && error.isMissing) return undefined;
      throw error;
    }
    if (found !== undefined) return found;
    throw new StoreAccessError(
      `Cannot use the lease ${place}: found another object, expected a lease; ` +
        "remove the object if no program needs it",
    );
  }

  /**
   * Reads an answer; `undefined` when the object is not a lease.
   *
   * @throws {S3Failure} when the answer may have been cut.
   */
  #look(answer: S3Answer): FoundLease | undefined {
    const { headers, text } = answer;
    const time = Date.parse(headers.get("last-modified") ?? "");
    const answered = Date.parse(headers.get("date") ?? "");
    const now = Number.isNaN(answered) ? this.#client.serverTime : answered;
    const version = this.#versionOf(headers);
    const record = decodeLease(text);
    const isWhole = record !== undefined || lengthOf(answer) !== undefined;
    if (!isWhole && mayBeCutLease(text)) {
      const found = "the answer ended before the end of a lease";
      throw new S3Failure({ status: 0, text: found });
    }
    if (record === undefined || version === null) return undefined;
    return Number.isNaN(time)
      ? undefined
      : { record, version, ageMs: now - time };
  }

  /**
   * Writes the lease in the place of the version, or of nothing; resolves to the
   * new version, or to `undefined` when the lease has changed meanwhile.
   */
  async write(
    record: LeaseRecord,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const { key, write } = this.#lease;
    try {
      const request = {
        method: "PUT" as const,
        key,
        headers: {
          ...write.putHeaders,
          "content-type": "application/json",
          ...this.#condition(version),
        },
        body: encodeLease(record),
        signal,
      };
      const read = ({ headers }: S3Answer) => this.#versionOf(headers);
      return await this.#client.attempt(request, read) ??
        await this.#ownVersion(record, signal);
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      const isRefused = error.isUnmet || error.isMissing ||
        error.code === "ConditionalRequestConflict";
      if (!isRefused && !error.isInDoubt) throw error;
      // The answer to a write that was carried out may have been lost.
      const own = await this.#ownVersion(record, signal);
      if (own === undefined && !isRefused) throw error;
      return own;
    }
  }

  async #ownVersion(
    { token, renewal }: LeaseRecord,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const found = await this.read(signal);
    const isOwn = found?.record.token === token &&
      found.record.renewal === renewal;
    return isOwn ? found.version : undefined;
  }

  get #isGoogle(): boolean {
    const { conditionalWrites } = this.#lease.write;
    return conditionalWrites === "x-goog-if-generation-match";
  }

  #versionOf(headers: Headers): string | null {
    return headers.get(this.#isGoogle ? "x-goog-generation" : "etag");
  }

  #condition(version: string | undefined): Readonly<Record<string, string>> {
    if (version === undefined) return absenceHeaders(this.#lease.write);
    return this.#isGoogle
      ? { "x-goog-if-generation-match": version }
      : { "if-match": version };
  }
}

/** A lease as its last renewal has left it. */
interface Renewed {
  readonly record: LeaseRecord;
  readonly version: string;
  /** When the renewal was begun, by this process's monotonic clock. */
  readonly startedAt: number;
}

/** A lease that is renewed until it is released, or lost. */
class HeldLease implements ArchiveLease {
  readonly #object: LeaseObject;
  readonly #times: LeaseTimes;
  readonly #place: string;
  readonly #lost = new AbortController();
  readonly #releasing = new AbortController();
  readonly #renewing: Promise<void>;
  #renewed: Renewed;

  constructor(
    object: LeaseObject,
    renewed: Renewed,
    { times = TIMES, place }: LeaseToTake,
  ) {
    this.#object = object;
    this.#renewed = renewed;
    this.#times = times;
    this.#place = place;
    this.#renewing = this.#keepRenewing();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#releasing.abort(new Error("The lease was released"));
    await this.#renewing;
    if (this.signal.aborted) return;
    this.#lose("it was released");
    const { record, version } = this.#renewed;
    const released = { ...next(record), released: true };
    // A lease that stays ends by itself.
    await this.#object.write(released, version).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Never rejects. */
  async #keepRenewing(): Promise<void> {
    const { signal } = this.#releasing;
    while (!signal.aborted && !this.signal.aborted) {
      try {
        await pause(Math.min(this.#times.renewMs, this.#leftMs), signal);
        await this.#renew();
      } catch {
        // Another attempt follows while there is time.
      }
      if (this.#leftMs === 0 && !signal.aborted) {
        this.#lose("it could not be renewed");
      }
    }
  }

  /**
   * How long the lease is certainly held, in milliseconds: to be sure, a quarter
   * less than by the server's clock.
   */
  get #leftMs(): number {
    const endsAt = this.#renewed.startedAt + this.#times.leaseMs * 3 / 4;
    return Math.max(endsAt - performance.now(), 0);
  }

  async #renew(): Promise<void> {
    const { record, version } = this.#renewed;
    const startedAt = performance.now();
    const renewed = next(record);
    // A server that is silent must not keep the holder from giving up in time.
    const stopping = new AbortController();
    const stop = () => stopping.abort(new Error("The renewal took too long"));
    const timer = setTimeout(
      stop,
      Math.min(this.#times.leaseMs / 3, this.#leftMs),
    );
    this.#releasing.signal.addEventListener("abort", stop);
    try {
      const { signal } = stopping;
      const found = await this.#object.write(renewed, version, signal);
      if (found === undefined) return this.#lose("another process has it");
      this.#renewed = { record: renewed, version: found, startedAt };
    } finally {
      clearTimeout(timer);
      this.#releasing.signal.removeEventListener("abort", stop);
    }
  }

  #lose(how: string): void {
    const message = `The lease ${this.#place} is lost: ${how}`;
    this.#lost.abort(new StoreAccessError(message));
  }
}

function next(record: LeaseRecord): LeaseRecord {
  return { ...record, renewal: record.renewal + 1 };
}
