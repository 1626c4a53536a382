/**
 * Checks everything that a backend returns: a place that breaks its contract is
 * rejected, and never makes the store hand out a wrong byte. It also closes
 * with the store: every call that only reads ends then, even when the backend
 * does not answer.
 *
 * @module
 */

import type {
  BackendInspection,
  BackendNames,
  BeginOptions,
  Look,
  ReadableBackend,
  SnapshotBackend,
  StateHandle,
} from "../backend/backend.ts";
import { placeError, toSnapshotError } from "../backend/errors.ts";
import { type Interruption, unlessAborted } from "../backend/interrupt.ts";
import { StoreClosedError } from "../errors.ts";
import type { CleanReport } from "../snapshot/inspection.ts";
import type { ExtraName } from "../snapshot/extras.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import { CheckedPending } from "./checked_pending.ts";
import { CheckedState, closeQuietly } from "./checked_state.ts";
import {
  knownVersions,
  requireBytes,
  requireFailures,
  requireHandle,
  requireIds,
  requireNames,
  requirePending,
  requireSize,
  requireText,
} from "./contract.ts";
import { toReadError } from "./error_scope.ts";
import {
  requireCleanReport,
  requireInspection,
} from "./inspection_contract.ts";

/** The checked form of a backend, which the rest of the store uses. */
export class CheckedBackend {
  readonly #backend: ReadableBackend;
  /** Calls that change the place and have not settled. */
  readonly #changes = new Set<Promise<unknown>>();
  /**
   * Aborts when the store is closed: from then on every call is rejected but
   * those that end open streams.
   */
  readonly #closing: Interruption;

  constructor(backend: ReadableBackend, closing: Interruption) {
    this.#backend = backend;
    this.#closing = closing;
  }

  /** The name of the place, for messages. */
  get place(): string {
    return this.#backend.place;
  }

  /** Whether snapshots can be written to it. */
  get isWritable(): boolean {
    return "begin" in this.#backend;
  }

  /** Whether corrupt snapshots can be quarantined. */
  get canQuarantine(): boolean {
    return this.isWritable && this.#writable.quarantine !== undefined;
  }

  /** Whether snapshots can carry files beside their state. */
  get canCarryExtras(): boolean {
    return this.#backend.readExtra !== undefined;
  }

  /** Whether block checksums can be added to a snapshot. */
  get canAddBlocks(): boolean {
    return this.isWritable && this.#writable.addBlocks !== undefined;
  }

  get #writable(): SnapshotBackend {
    return this.#backend as SnapshotBackend;
  }

  names(): Promise<BackendNames> {
    return this.#look(async () => requireNames(await this.#backend.names()));
  }

  /** Whether the backend has `inspect()`. */
  get canInspect(): boolean {
    return this.#backend.inspect !== undefined;
  }

  /** Only when {@linkcode canInspect}. */
  inspect(): Promise<BackendInspection> {
    return this.#look(async () =>
      requireInspection(await this.#backend.inspect?.())
    );
  }

  /** The version of the parts that a look has read, if the backend knows it. */
  versionRead(look: Look): string | undefined {
    return knownVersions([this.#backend.versionRead?.(look)], 1)[0];
  }

  /**
   * The versions of snapshots, as far as the backend knows them; never rejects.
   */
  async versions(
    ids: readonly string[],
  ): Promise<readonly (string | undefined)[]> {
    let versions: unknown;
    try {
      const ask = async () => await this.#backend.versions?.(ids);
      versions = await this.#read("look", ask);
    } catch {
      // Reading the snapshots will show the error.
    }
    return knownVersions(versions, ids.length);
  }

  readMeta(id: string, sizeMax: number, look: Look): Promise<Uint8Array> {
    const what = `meta.json of snapshot ${id}`;
    return this.#read(`read ${what}`, async () => {
      const bytes = await this.#backend.readMeta(id, sizeMax, look);
      return requireBytes(bytes, what, sizeMax);
    });
  }

  readBlocks(
    id: string,
    sizeMax: number,
    look: Look,
  ): Promise<Uint8Array | undefined> {
    return this.#readOptional(
      `blocks.crc64 of snapshot ${id}`,
      sizeMax,
      () => this.#backend.readBlocks(id, sizeMax, look),
    );
  }

  readExtra(
    id: string,
    name: ExtraName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    return this.#readOptional(
      `${name} of snapshot ${id}`,
      sizeMax,
      async () => await this.#backend.readExtra?.(id, name, sizeMax),
    );
  }

  stateSize(id: string, look: Look): Promise<number> {
    const what = `state.bin of snapshot ${id}`;
    return this.#read(
      `look at ${what}`,
      async () => requireSize(await this.#backend.stateSize(id, look), what),
    );
  }

  openState(id: string, range: ByteRange): Promise<StateHandle> {
    const what = `state.bin of snapshot ${id}`;
    return this.#read(`open ${what}`, async () => {
      const opened = await this.#backend.openState(id, range);
      const handle = requireHandle(opened, what);
      try {
        // The store may have been closed meanwhile.
        this.assertOpen();
        return new CheckedState(handle, id);
      } catch (error) {
        await closeQuietly(handle);
        throw error;
      }
    }, closeQuietly);
  }

  takenIds(): Promise<readonly string[]> {
    return this.#change(async () => {
      try {
        return requireIds(await this.#writable.takenIds());
      } catch (error) {
        throw toSnapshotError("create a snapshot", error);
      }
    });
  }

  begin(
    id: string,
    meta: Uint8Array,
    options: BeginOptions,
  ): Promise<CheckedPending | "taken"> {
    return this.#change(async () => {
      try {
        return await this.#begin(id, meta, options);
      } catch (error) {
        throw toSnapshotError("create a snapshot", error);
      }
    });
  }

  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
    isListed = false,
  ): Promise<ReadonlyMap<string, unknown>> {
    return this.#change(async () =>
      requireFailures(await this.#writable.remove(ids, from, isListed), ids)
    );
  }

  /** Allowed while the store closes: it ends removals that have begun. */
  finishRemovals(): Promise<void> {
    return this.#note((async () => {
      await this.#writable.finishRemovals?.();
    })());
  }

  /** Whether unfinished snapshots can be removed. */
  get canClean(): boolean {
    return this.isWritable && this.#writable.clean !== undefined;
  }

  /** Only when {@linkcode canClean}. */
  clean(olderThanMs: number | undefined): Promise<CleanReport> {
    return this.#change(async () =>
      requireCleanReport(await this.#writable.clean?.(olderThanMs))
    );
  }

  /** Only when {@linkcode canQuarantine}. */
  quarantine(id: string): Promise<string> {
    return this.#change(async () =>
      requireText(await this.#writable.quarantine?.(id))
    );
  }

  /** Only when {@linkcode canAddBlocks}. */
  addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    return this.#change(async () =>
      await this.#writable.addBlocks?.(id, bytes)
    );
  }

  /** Resolves once no call changes the place any more. */
  async idle(): Promise<void> {
    while (this.#changes.size > 0) {
      await Promise.allSettled([...this.#changes]);
    }
  }

  /** Whether the store has been closed. */
  get isShut(): boolean {
    return this.#closing.aborted;
  }

  /** @throws {StoreClosedError} when the store has been closed. */
  assertOpen(): void {
    if (this.isShut) throw this.#closedError();
  }

  async close(): Promise<void> {
    await this.#backend.close?.();
  }

  /**
   * Runs a call that changes nothing. It ends when the store is closed;
   * `onLate` releases a result that comes after that.
   */
  async #read<T>(
    doing: string,
    call: () => Promise<T>,
    onLate?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    this.assertOpen();
    try {
      return await unlessAborted(call(), [this.#closing], onLate);
    } catch (error) {
      this.assertOpen();
      throw toReadError(doing, error);
    }
  }

  /** Runs a call that is not about a snapshot. */
  async #look<T>(call: () => Promise<T>): Promise<T> {
    const doing = `look into ${this.place}`;
    try {
      return await this.#read(doing, call);
    } catch (error) {
      this.assertOpen();
      // Whatever its class, the error is not about one snapshot.
      throw placeError(doing, error);
    }
  }

  /** Reads an optional part of a snapshot. */
  #readOptional(
    what: string,
    sizeMax: number,
    read: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    return this.#read(`read ${what}`, async () => {
      const bytes = await read();
      return bytes === undefined
        ? undefined
        : requireBytes(bytes, what, sizeMax);
    });
  }

  async #begin(
    id: string,
    meta: Uint8Array,
    options: BeginOptions,
  ): Promise<CheckedPending | "taken"> {
    const begun = await this.#writable.begin(id, meta, options);
    if (begun === "taken") return begun;
    const note = <T>(call: Promise<T>) => this.#note(call);
    const pending = new CheckedPending(requirePending(begun, id), note);
    if (!this.isShut) return pending;
    const closed = this.#closedError();
    await pending.discard(closed).catch(() => {});
    throw closed;
  }

  async #change<T>(call: () => Promise<T>): Promise<T> {
    this.assertOpen();
    return await this.#note(call());
  }

  /** Notes a call until it has settled: `close()` of the store waits for it. */
  async #note<T>(call: Promise<T>): Promise<T> {
    this.#changes.add(call);
    try {
      return await call;
    } finally {
      this.#changes.delete(call);
    }
  }

  #closedError(): StoreClosedError {
    return new StoreClosedError(`Cannot use the store ${this.place}: closed`);
  }
}
