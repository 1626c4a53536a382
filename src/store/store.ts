/**
 * The store, written once for every place: it checks what callers pass, opens
 * sinks and sources, and knows what close() has to end.
 *
 * @module
 */

import type { ReadableBackend } from "../backend/backend.ts";
import { toSnapshotError } from "../backend/errors.ts";
import { StoreAccessError, StoreClosedError } from "../errors.ts";
import type { ListEntry } from "../snapshot/listing.ts";
import { offerExtras } from "../snapshot/extras.ts";
import { requireId } from "../snapshot/id.ts";
import type {
  CreateOptions,
  OpenOptions,
  Restorer,
  RestoreResult,
  SaveOptions,
  SnapshotHeader,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  SnapshotSource,
  StateInput,
  VerifyOptions,
  VerifyReport,
} from "../snapshot/types.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { describe } from "../text.ts";
import { CheckedBackend } from "./checked_backend.ts";
import { createSink, saveSnapshot, type WritingParts } from "./create.ts";
import { Exclusive } from "./exclusive.ts";
import { readExtraFile } from "./extra.ts";
import { readHeader } from "./header.ts";
import { Health } from "./health.ts";
import { IdClock } from "./id_clock.ts";
import { SharedSignal, unlessAborted } from "./interrupt.ts";
import { listEntries, listUsable, statSnapshot } from "./list.ts";
import { openSource, type OpenSourceOptions } from "./open.ts";
import { OpenStreams } from "./open_streams.ts";
import { resolveStoreOptions, type StoreOptions } from "./options.ts";
import type { StoreParts } from "./parts.ts";
import { deleteSnapshot } from "./remove.ts";
import { quarantineCorrupt, restoreNewest } from "./restore.ts";
import { reapSnapshots } from "./retention.ts";
import { sealSnapshot } from "./seal.ts";
import { verifySnapshot } from "./verify.ts";

/** A signal that aborts when the store is closed; not for users. */
export let closingOf: (store: BackedStore) => AbortSignal;

/**
 * A store over a backend that needs no `connect()`, as memory is one; for all
 * others `openSnapshotStore()` makes it. The methods are described where
 * {@linkcode SnapshotStore} has them.
 */
export class BackedStore implements SnapshotStore {
  readonly #backend: CheckedBackend;
  readonly #parts: StoreParts;
  readonly #readOnly: boolean;
  readonly #writing: WritingParts;
  /** So that sinks are acknowledged in the order of their publication. */
  readonly #reaps = new Exclusive();
  /** Aborts when the store is closed. */
  readonly #closing = new AbortController();
  /** The same, for the calls that wait. */
  readonly #closingSignal = new SharedSignal(this.#closing.signal);
  #closed: Promise<void> | undefined;

  static {
    closingOf = (store) => store.#closing.signal;
  }

  /**
   * Makes the store.
   *
   * @throws {TypeError} when an option has the wrong type.
   * @throws {RangeError} when an option is out of its bounds.
   */
  constructor(backend: ReadableBackend, options: StoreOptions = {}) {
    const resolved = resolveStoreOptions(options);
    const { blockSize, clock, logger, readOnly, retain } = resolved;
    this.#backend = new CheckedBackend(backend, this.#closingSignal);
    this.#readOnly = readOnly || !this.#backend.isWritable;
    this.#parts = {
      backend: this.#backend,
      health: new Health(),
      streams: new OpenStreams(),
      publishing: new Set(),
      exclusive: new Exclusive(),
      closing: this.#closing.signal,
      logger,
      retain,
      blockSize,
    };
    this.#writing = {
      ...this.#parts,
      ids: new IdClock(clock),
      onPublished: (id, signal) => this.#reapAfter(id, signal),
    };
    offerExtras(
      this,
      (id, name) =>
        this.#run(() => readExtraFile(this.#parts, requireId(id), name)),
    );
  }

  /** See {@linkcode SnapshotStore.create}. */
  create(
    init: SnapshotInit,
    options: CreateOptions = {},
  ): Promise<SnapshotSink> {
    return this.#change(
      "create a snapshot",
      () => createSink(this.#writing, init, options),
      options.signal,
      (sink) => sink.cancel(),
    );
  }

  /** See {@linkcode SnapshotStore.save}. */
  save(
    init: SnapshotInit,
    state: StateInput,
    options: SaveOptions = {},
  ): Promise<SnapshotMeta> {
    // Not ended by the signal at once: the outcome of a publication under way
    // is what counts.
    return this.#write(
      "save a snapshot",
      () => saveSnapshot(this.#writing, { init, state }, options),
    );
  }

  /** See {@linkcode SnapshotReader.list}. */
  list(options: { readonly unusable: true }): Promise<ListEntry[]>;
  /** See {@linkcode SnapshotReader.list}. */
  list(
    options?: { readonly unusable?: false | undefined },
  ): Promise<SnapshotMeta[]>;
  list(
    options: { readonly unusable?: boolean | undefined } = {},
  ): Promise<SnapshotMeta[] | ListEntry[]> {
    return options.unusable
      ? this.#run(() => listEntries(this.#parts))
      : this.#run(() => listUsable(this.#parts));
  }

  /** See {@linkcode SnapshotReader.stat}. */
  stat(id: string): Promise<SnapshotMeta> {
    return this.#run(() => statSnapshot(this.#parts, requireId(id)));
  }

  /** See {@linkcode SnapshotReader.header}. */
  header(id: string): Promise<SnapshotHeader> {
    return this.#run(async () =>
      (await readHeader(this.#parts, requireId(id))).files
    );
  }

  /** See {@linkcode SnapshotReader.open}. */
  open(id: string, options: OpenOptions = {}): Promise<SnapshotSource> {
    return this.#open(id, options);
  }

  #open(id: string, options: OpenSourceOptions): Promise<SnapshotSource> {
    return this.#run(
      () => openSource(this.#parts, requireId(id), options),
      options.signal,
      (source) => source.cancel(),
    );
  }

  /** See {@linkcode SnapshotReader.verify}. */
  verify(id: string, options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#run(
      () => verifySnapshot(this.#parts, requireId(id), options),
      options.signal,
    );
  }

  /** See {@linkcode SnapshotReader.restore}. */
  async restore(restore: Restorer): Promise<RestoreResult | undefined> {
    this.#backend.assertOpen();
    const open = (id: string, options: OpenSourceOptions) =>
      this.#open(id, options);
    const result = await restoreNewest(this.#parts, open, restore);
    if (result !== undefined && !this.#readOnly) {
      await quarantineCorrupt(this.#parts, result.skipped);
    }
    return result;
  }

  /** See {@linkcode SnapshotStore.reap}. */
  reap(): Promise<void> {
    return this.#change("reap", async () => {
      try {
        await reapSnapshots(this.#parts);
      } catch (error) {
        throw toSnapshotError(`reap in ${this.#backend.place}`, error);
      }
    });
  }

  /** See {@linkcode SnapshotStore.seal}. */
  seal(id: string, options: VerifyOptions = {}): Promise<SnapshotMeta> {
    return this.#change(
      "seal",
      () => sealSnapshot(this.#parts, requireId(id), options),
      options.signal,
    );
  }

  /** See {@linkcode SnapshotStore.delete}. */
  delete(id: string): Promise<void> {
    return this.#change(
      "delete",
      () => deleteSnapshot(this.#parts, requireId(id)),
    );
  }

  /** See {@linkcode SnapshotReader.close}. */
  close(): Promise<void> {
    this.#closed ??= this.#close().catch((error) => {
      // The place may not be given up yet: a caller may try again.
      this.#closed = undefined;
      throw toSnapshotError(`give up ${this.#backend.place}`, error);
    });
    return this.#closed;
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A reap that fails does not make the publication a failure. The caller need
   * not wait for its end: the snapshot is published.
   */
  async #reapAfter(id: string, signal?: AbortSignal): Promise<void> {
    try {
      const reaping = this.#reaps.run(() => reapSnapshots(this.#parts, id));
      await unlessAborted(reaping, signal === undefined ? [] : [signal]);
    } catch (error) {
      if (this.#backend.isShut || signal?.aborted) return;
      this.#parts.logger.error(
        `After the publication of snapshot ${id}: ${describe(error)}`,
      );
    }
  }

  /** @throws {StoreAccessError} when the store was opened to read only. */
  #assertWritable(what: string): void {
    this.#backend.assertOpen();
    if (!this.#readOnly) return;
    throw new StoreAccessError(
      `Cannot ${what} in ${this.#backend.place}: the store was opened read-only`,
    );
  }

  /** Runs a call that changes what there is. */
  async #change<T>(
    what: string,
    call: () => Promise<T>,
    signal?: AbortSignal,
    onLate?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    this.#assertWritable(what);
    return await this.#run(call, signal, onLate);
  }

  /** Runs a call that ends by itself when the store is closed. */
  async #write<T>(what: string, call: () => Promise<T>): Promise<T> {
    this.#assertWritable(what);
    return await call();
  }

  /**
   * Runs a call; it rejects at once when the signal aborts or the store is
   * closed, however long the backend takes. `onLate` lets go of what comes after
   * that.
   */
  async #run<T>(
    call: () => Promise<T>,
    signal?: AbortSignal,
    onLate?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    this.#backend.assertOpen();
    const running = call();
    const signals = signal === undefined
      ? [this.#closingSignal]
      : [this.#closingSignal, signal];
    return await unlessAborted(running, signals, onLate);
  }

  async #close(): Promise<void> {
    const { exclusive, streams } = this.#parts;
    const reason = new StoreClosedError(
      `The store ${this.#backend.place} has been closed`,
    );
    this.#closing.abort(reason);
    await streams.abortAll(reason);
    await this.#backend.idle();
    // Sources that were being opened just now.
    await streams.abortAll(reason);
    await exclusive.idle();
    await this.#backend.idle();
    await this.#backend.close();
  }
}
