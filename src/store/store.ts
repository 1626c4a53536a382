/**
 * The store, written once for every place: checks the arguments of callers,
 * opens sinks and sources, and ends them at close().
 *
 * @module
 */

import { requireKnown } from "../option_names.ts";
import { OPEN_OPTIONS, RESTORE_OPTIONS } from "../snapshot/option_names.ts";
import type { BackendHost, ReadableBackend } from "../backend/backend.ts";
import { toSnapshotError } from "../backend/errors.ts";
import { SharedSignal, unlessAborted } from "../backend/interrupt.ts";
import { StoreAccessError, StoreClosedError } from "../errors.ts";
import type { ListEntry } from "../snapshot/listing.ts";
import { showAs, type Shown } from "../runtime/show_as.ts";
import { offerExtras, type ReadExtra } from "../snapshot/extras.ts";
import { requireId } from "../snapshot/id.ts";
import type {
  CleanOptions,
  CleanReport,
  StoreInspection,
} from "../snapshot/inspection.ts";
import type {
  CreateOptions,
  OpenOptions,
  RestoreOptions,
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
import { CheckedBackend } from "./checked_backend.ts";
import { createSink, saveSnapshot, type WritingParts } from "./create.ts";
import { backendReport, makeReport } from "./events.ts";
import { Exclusive } from "../backend/exclusive.ts";
import { readExtraFile } from "./extra.ts";
import { readHeader } from "./header.ts";
import { Health } from "./health.ts";
import { KnownMetas } from "./known_metas.ts";
import { IdClock } from "./id_clock.ts";
import { cleanStore, inspectStore } from "./inspect.ts";
import { type ListOptions, listSnapshots, statSnapshot } from "./list.ts";
import { openSource, type OpenSourceOptions } from "./open.ts";
import { NewestFirst } from "./newest_first.ts";
import { OpenStreams } from "./open_streams.ts";
import {
  resolveStoreOptions,
  STORE_OPTIONS,
  type StoreOptions,
} from "./options.ts";
import type { StoreParts } from "./parts.ts";
import { Reaper } from "./reaper.ts";
import { Remover } from "./remove.ts";
import { quarantineCorrupt, restoreNewest } from "./restore.ts";
import { sealSnapshot } from "./seal.ts";
import { verifySnapshot } from "./verify.ts";

/**
 * The parts of a store that its backend gets when it connects; not for users.
 */
export let hostOf: (store: BackedStore) => BackendHost;

/**
 * A store over a backend that needs no `connect()`, as memory is one; for all
 * others `openSnapshotStore()` makes it. The methods are described where
 * {@linkcode SnapshotStore} has them.
 */
export class BackedStore implements SnapshotStore {
  readonly #backend: CheckedBackend;
  readonly #parts: StoreParts;
  readonly #host: BackendHost;
  readonly #readOnly: boolean;
  readonly #reaper: Reaper;
  readonly #writing: WritingParts;
  /** Aborts when the store is closed. */
  readonly #closing = new AbortController();
  /** The same, for the calls that wait. */
  readonly #closingSignal = new SharedSignal(this.#closing.signal);
  #closed: Promise<void> | undefined;

  static {
    hostOf = (store) => store.#host;
    showAs(BackedStore.prototype, (store) => store.#shown());
  }

  /**
   * Makes the store.
   *
   * @throws {TypeError} when an option has the wrong type.
   * @throws {RangeError} when an option is out of its bounds.
   */
  constructor(backend: ReadableBackend, options: StoreOptions = {}) {
    requireKnown(options, STORE_OPTIONS);
    const resolved = resolveStoreOptions(options);
    const { blockSize, clock, readOnly, retain } = resolved;
    const report = makeReport(resolved, backend);
    const closing = this.#closing.signal;
    this.#host = { report: backendReport(report), readOnly, clock, closing };
    this.#backend = new CheckedBackend(backend, this.#closingSignal);
    this.#readOnly = readOnly || !this.#backend.isWritable;
    const newestFirst = new NewestFirst(resolved.order);
    const parts = { backend: this.#backend, health: new Health(newestFirst) };
    this.#parts = {
      ...parts,
      newestFirst,
      metas: new KnownMetas(),
      remover: new Remover(parts),
      streams: new OpenStreams(),
      publishing: new Set(),
      exclusive: new Exclusive(),
      closing,
      report,
      timer: resolved.monotonicClock,
      retain,
      blockSize,
    };
    const reaper = new Reaper(this.#parts);
    this.#reaper = reaper;
    this.#writing = { ...this.#parts, ids: new IdClock(clock), reaper };
    const readExtra: ReadExtra = (id, name) =>
      this.#run(() => readExtraFile(this.#parts, requireId(id), name));
    offerExtras(this, readExtra);
  }

  /** See {@linkcode SnapshotStore.create}. */
  create(
    init: SnapshotInit,
    options: CreateOptions = {},
  ): Promise<SnapshotSink> {
    const create = () => createSink(this.#writing, init, options);
    return this.#write(
      "create a snapshot",
      () => this.#untilClosed(create, options.signal, (sink) => sink.cancel()),
    );
  }

  /** See {@linkcode SnapshotStore.save}. */
  save(
    init: SnapshotInit,
    state: StateInput,
    options: SaveOptions = {},
  ): Promise<SnapshotMeta> {
    // Neither the signal nor close() ends this at once, because the outcome of
    // a publication under way counts.
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
  list(options: ListOptions = {}): Promise<SnapshotMeta[] | ListEntry[]> {
    return this.#run(() => listSnapshots(this.#parts, options));
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
  async open(id: string, options: OpenOptions = {}): Promise<SnapshotSource> {
    requireKnown(options, OPEN_OPTIONS);
    return await this.#open(id, options);
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
    const verify = () => verifySnapshot(this.#parts, requireId(id), options);
    return this.#run(verify, options.signal);
  }

  /** See {@linkcode SnapshotReader.restore}. */
  async restore(
    restore: Restorer,
    options: RestoreOptions = {},
  ): Promise<RestoreResult | undefined> {
    requireKnown(options, RESTORE_OPTIONS);
    // Waits, so that no snapshot is tried that is to be reaped.
    await this.#run(() => Promise.resolve());
    const open = (id: string, made: OpenSourceOptions) =>
      this.#open(id, { ...options, ...made });
    const result = await restoreNewest(this.#parts, open, restore);
    if (result !== undefined && !this.#readOnly) {
      await quarantineCorrupt(this.#parts, result.skipped);
    }
    return result;
  }

  /** See {@linkcode SnapshotReader.inspect}. */
  inspect(): Promise<StoreInspection> {
    return this.#run(() => inspectStore(this.#parts));
  }

  /** See {@linkcode SnapshotStore.reap}. */
  reap(): Promise<void> {
    return this.#write("reap", () => this.#run(() => this.#reaper.reap()));
  }

  /** See {@linkcode SnapshotStore.clean}. */
  clean(options: CleanOptions = {}): Promise<CleanReport> {
    const clean = () => cleanStore(this.#parts, options);
    return this.#write("clean", () => this.#run(clean));
  }

  /** See {@linkcode SnapshotStore.seal}. */
  seal(id: string, options: VerifyOptions = {}): Promise<SnapshotMeta> {
    const seal = () => sealSnapshot(this.#parts, requireId(id), options);
    return this.#write("seal", () => this.#run(seal, options.signal));
  }

  /** See {@linkcode SnapshotStore.delete}. */
  delete(id: string): Promise<void> {
    const remove = () => this.#reaper.delete(requireId(id));
    return this.#write("delete", () => this.#run(remove));
  }

  /** See {@linkcode SnapshotReader.close}. */
  close(): Promise<void> {
    this.#closed ??= this.#close().catch((error) => {
      // The lock may not be removed yet, so a caller may try again.
      this.#closed = undefined;
      throw toSnapshotError(`give up ${this.#backend.place}`, error);
    });
    return this.#closed;
  }

  /** The same as `close()`, for `await using`. See {@linkcode SnapshotReader.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #shown(): Shown {
    const { constructor: { name } } = this;
    return {
      name: name === "BackedStore" ? "SnapshotStore" : name,
      fields: {
        place: this.#backend.place,
        state: this.#closing.signal.aborted ? "closed" : "open",
        readOnly: this.#readOnly,
        retain: this.#parts.retain,
      },
    };
  }

  /** @throws {StoreAccessError} when the store was opened to read only. */
  #assertWritable(what: string): void {
    this.#assertOpen();
    if (!this.#readOnly) return;
    throw new StoreAccessError(
      `Cannot ${what} in ${this.#backend.place}: the store was opened read-only`,
    );
  }

  /** Runs a call that changes the store's contents. */
  async #write<T>(what: string, call: () => Promise<T>): Promise<T> {
    this.#assertWritable(what);
    return await call();
  }

  /** @throws {StoreClosedError} when `close()` has been called. */
  #assertOpen(): void {
    this.#backend.assertOpen();
    if (this.#closed !== undefined) throw this.#closedError();
  }

  #closedError(): StoreClosedError {
    const { place } = this.#backend;
    return new StoreClosedError(`The store ${place} has been closed`);
  }

  /** Runs a call once the snapshots to be reaped are invisible. */
  #run<T>(
    call: () => Promise<T>,
    signal?: AbortSignal,
    onLate?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    const settledCall = () =>
      this.#reaper.isSettled ? call() : this.#reaper.settled().then(call);
    return this.#untilClosed(settledCall, signal, onLate);
  }

  /**
   * Runs a call; it rejects at once when the signal aborts or the store is
   * closed, however long the backend takes. `onLate` releases a result that
   * comes after that.
   */
  async #untilClosed<T>(
    call: () => Promise<T>,
    signal?: AbortSignal,
    onLate?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    this.#assertOpen();
    const running = call();
    const signals = signal === undefined
      ? [this.#closingSignal]
      : [this.#closingSignal, signal];
    return await unlessAborted(running, signals, onLate);
  }

  async #close(): Promise<void> {
    const { exclusive, remover, streams } = this.#parts;
    const reason = this.#closedError();
    if (!this.#reaper.isSettled) {
      await streams.abortAll(reason);
      // Waits, so that snapshots beyond `retain` are not left to the next
      // process. A publication under way may leave one: it may take forever.
      await this.#reaper.settledSoon();
    }
    this.#closing.abort(reason);
    await streams.abortAll(reason);
    await this.#backend.idle();
    // Sources that were being opened just now.
    await streams.abortAll(reason);
    await exclusive.idle();
    // Waits for the bytes, too, because the next process may also remove them.
    await remover.idle();
    await this.#backend.idle();
    await this.#backend.close();
  }
}
