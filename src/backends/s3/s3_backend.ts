/**
 * Object storage as a place for snapshots. A snapshot is visible once its
 * `meta.json` is there, which is written last. Many processes may write to it.
 *
 * @module
 */

import type {
  BackendHost,
  BackendInspection,
  BackendNames,
  BeginOptions,
  Look,
  PendingSnapshot,
  SnapshotBackend,
  StateHandle,
} from "../../backend/backend.ts";
import { SharedSignal } from "../../backend/interrupt.ts";
import { SnapshotNotFoundError } from "../../errors.ts";
import type { RetryOptions } from "../../net/retry.ts";
import type { CleanReport } from "../../snapshot/inspection.ts";
import type { ExtraName } from "../../snapshot/extras.ts";
import type { ByteRange } from "../../snapshot/open_options.ts";
import { Catalog, type Found, type FoundSnapshot } from "./catalog.ts";
import { toAccessError } from "./client/failure.ts";
import { hasObjects } from "./client/listing.ts";
import { putObject } from "./client/objects.ts";
import { HeaderReader } from "./header_reader.ts";
import { formatLocation, parseLocation } from "./location.ts";
import { makeClient } from "./make_client.ts";
import { cleanFound, inspectFound } from "./inspect.ts";
import { KeySpace, type PartName } from "./names.ts";
import { resolveS3Options, type S3BackendOptions } from "./options.ts";
import { type BucketParts, isOlder } from "./parts.ts";
import { beginPending } from "./pending.ts";
import { Removals } from "./removals.ts";
import { RemoteState } from "./state_reader.ts";
import { sweep, type SweepRule } from "./sweep.ts";

/** Settings for tests, which users can't change. */
export interface S3Tuning {
  /** How requests are made again. */
  readonly retry?: RetryOptions;
  /** The size of parts, also one that S3 does not take. */
  readonly partSize?: number;
}

/** A bucket, or a part of one, that snapshots are kept in. */
export class S3Backend implements SnapshotBackend {
  readonly place: string;
  readonly #parts: BucketParts;
  readonly #headers: HeaderReader;
  readonly #removals: Removals;
  #report: BackendHost["report"] = () => {};
  #clock: () => number = Date.now;
  /** Snapshots that this process has published. */
  readonly #own = new Set<string>();
  /** Snapshots that this process is writing. */
  readonly #pending = new Set<string>();
  /** Open states, and the snapshots that they are of. */
  readonly #open = new Map<StateHandle, string>();

  /**
   * Takes `s3://bucket/prefix`; `tuning` is for tests.
   *
   * @throws {TypeError} when the location or an option is wrong.
   * @throws {RangeError} when an option is out of its bounds.
   */
  constructor(
    location: string | URL,
    options: S3BackendOptions = {},
    tuning: S3Tuning = {},
  ) {
    const parsed = parseLocation(location);
    const resolved = resolveS3Options(options);
    const clock = () => this.#clock();
    const client = makeClient(parsed, options, { clock, retry: tuning.retry });
    const keys = new KeySpace(parsed);
    this.place = formatLocation(parsed);
    this.#parts = {
      client,
      keys,
      catalog: new Catalog(client, keys),
      options: { ...resolved, partSize: tuning.partSize ?? resolved.partSize },
      report: (event) => this.#report(event),
    };
    this.#headers = new HeaderReader(client, this.#parts.catalog);
    this.#removals = new Removals(
      this.#parts,
      (id) => [...this.#open.values()].includes(id),
    );
  }

  connect({ report, clock, closing, readOnly }: BackendHost): Promise<void> {
    this.#report = report;
    this.#clock = clock;
    const { client, keys } = this.#parts;
    client.closing = new SharedSignal(closing);
    client.report = report;
    return this.#run(`open ${this.place}`, async () => {
      const { sweep: sweeps, sweepAfterMs } = this.#parts.options;
      if (readOnly || !sweeps) return void await hasObjects(client, keys.root);
      await sweep(this.#parts, await this.#list(), this.#rule(sweepAfterMs));
    });
  }

  inspect(): Promise<BackendInspection> {
    const { isOwn } = this.#rule(0);
    return this.#run(
      `look into ${this.place}`,
      async () => inspectFound(this.#parts, await this.#list(), isOwn),
    );
  }

  clean(olderThanMs?: number): Promise<CleanReport> {
    const { sweepAfterMs } = this.#parts.options;
    const rule = this.#rule(olderThanMs ?? sweepAfterMs);
    return this.#run(`clean ${this.place}`, async () => {
      const report = await cleanFound(this.#parts, await this.#list(), rule);
      await this.#removals.finish();
      return report;
    });
  }

  names(): Promise<BackendNames> {
    return this.#run(`list ${this.place}`, async () => {
      const { snapshots, foreign } = await this.#list();
      const all = [...snapshots.values()];
      const idsOf = (state: FoundSnapshot["state"]) =>
        all.filter((each) => each.state === state).map(({ id }) => id);
      const published = idsOf("published");
      return {
        published,
        quarantined: idsOf("quarantined"),
        unfinished: [
          ...idsOf("writing").map((id) => ({ id, state: "writing" as const })),
          ...[...idsOf("deleted"), ...idsOf("abandoned")]
            .map((id) => ({ id, state: "deleted" as const })),
        ],
        foreign,
        protected: published.filter((id) => this.#isProtected(snapshots, id)),
      };
    });
  }

  readMeta(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array> {
    return this.#run(
      `read meta.json of snapshot ${id}`,
      () => this.#headers.readMeta(id, sizeMax, look),
    );
  }

  readBlocks(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined> {
    return this.#readOptional(id, "blocks.crc64", sizeMax, look);
  }

  readExtra(
    id: string,
    name: ExtraName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    return this.#readOptional(id, name, sizeMax);
  }

  stateSize(id: string, look?: Look): Promise<number> {
    return this.#run(
      `look at state.bin of snapshot ${id}`,
      () => this.#headers.stateSize(id, look),
    );
  }

  // deno-lint-ignore require-await -- as the interface has it
  async versions(ids: readonly string[]): Promise<(string | undefined)[]> {
    return this.#headers.versions(ids);
  }

  versionRead(look: Look): string | undefined {
    return this.#headers.versionRead(look);
  }

  openState(id: string, range: ByteRange): Promise<StateHandle> {
    const what = `state.bin of snapshot ${id}`;
    return this.#run(`open ${what}`, async () => {
      const found = await this.#parts.catalog.current(id);
      const object = found.demand("state.bin");
      const state = new RemoteState(this.#parts.client, {
        what,
        object,
        range,
      });
      const handle: StateHandle = {
        size: state.size,
        read: (buffer, position) => state.read(buffer, position),
        close: () => {
          this.#open.delete(handle);
          return state.close();
        },
      };
      this.#open.set(handle, id);
      return handle;
    });
  }

  takenIds(): Promise<readonly string[]> {
    return this.#run(`list ${this.place}`, async () => {
      const { snapshots, foreignIds } = await this.#list();
      return [...snapshots.keys(), ...foreignIds];
    });
  }

  begin(
    id: string,
    _meta: Uint8Array,
    { expectedSize }: BeginOptions,
  ): Promise<PendingSnapshot | "taken"> {
    const { catalog } = this.#parts;
    this.#pending.add(id);
    const onPublished = () => {
      this.#own.add(id);
      catalog.forget(id);
    };
    const onEnd = () => this.#pending.delete(id);
    return this.#run(`begin a snapshot in ${this.place}`, async () => {
      const handlers = { expectedSize, onPublished, onEnd };
      try {
        const pending = await beginPending(this.#parts, id, handlers);
        if (pending === "taken") onEnd();
        return pending;
      } catch (error) {
        onEnd();
        throw error;
      }
    });
  }

  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>> {
    return this.#removals.remove(ids, from);
  }

  finishRemovals(): Promise<void> {
    return this.#removals.finish();
  }

  async quarantine(id: string): Promise<string> {
    await this.#put(id, "corrupt", new Uint8Array());
    return `${id}, with the object ${id}/corrupt`;
  }

  addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    return this.#put(id, "blocks.crc64", new Uint8Array(bytes));
  }

  async close(): Promise<void> {
    const handles = [...this.#open.keys()];
    await Promise.all(handles.map((handle) => handle.close()));
  }

  /** Gives a published snapshot an object. */
  #put(
    id: string,
    part: PartName,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { catalog, client, keys, options } = this.#parts;
    const key = keys.key(id, part);
    return this.#run(`write ${part} of snapshot ${id}`, async () => {
      const { state } = await catalog.look(id);
      if (state !== "published") {
        throw new SnapshotNotFoundError(
          `Cannot find snapshot ${id} in the bucket`,
        );
      }
      await putObject(client, { key, body }, options);
      catalog.forget(id);
    });
  }

  #readOptional(
    id: string,
    name: PartName,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined> {
    return this.#run(
      `read ${name} of snapshot ${id}`,
      () => this.#headers.readOptional(id, name, sizeMax, look),
    );
  }

  #rule(olderThanMs: number): SweepRule {
    return { olderThanMs, isOwn: (id) => this.#pending.has(id) };
  }

  async #list(): Promise<Found> {
    const found = await this.#parts.catalog.list();
    this.#removals.note(found);
    return found;
  }

  /** Whether another process may rely on a snapshot. */
  #isProtected(snapshots: Found["snapshots"], id: string): boolean {
    const { graceMs } = this.#parts.options;
    const modified = snapshots.get(id)?.part("meta.json")?.modified ?? 0;
    return !this.#own.has(id) && !isOlder(this.#parts, modified, graceMs);
  }

  async #run<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw toAccessError(doing, error);
    }
  }
}
