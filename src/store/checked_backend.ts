/**
 * A backend with everything checked that it returns: a place that breaks its
 * contract is refused, and never makes the store hand out a wrong byte. It is
 * also the gate that closes with the store.
 *
 * @module
 */

import type {
  BackendNames,
  FinalParts,
  PendingSnapshot,
  ReadableBackend,
  SnapshotBackend,
  StateHandle,
} from "../backend/backend.ts";
import { placeError } from "../backend/errors.ts";
import { StoreAccessError, StoreClosedError } from "../errors.ts";
import { parseId } from "../snapshot/id.ts";
import type { ExtraName } from "../snapshot/extras.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import { quote } from "../text.ts";

/** A backend as the rest of the store sees it. */
export class CheckedBackend {
  readonly #backend: ReadableBackend;
  /** Calls that change the place and have not settled. */
  readonly #changes = new Set<Promise<unknown>>();
  #isShut = false;

  constructor(backend: ReadableBackend) {
    this.#backend = backend;
  }

  /** Where it is, for messages. */
  get place(): string {
    return this.#backend.place;
  }

  /** Whether snapshots can be written to it. */
  get isWritable(): boolean {
    return "begin" in this.#backend;
  }

  /** Whether corrupt snapshots can be taken out of the way. */
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

  async names(): Promise<BackendNames> {
    const names = await this.#read(
      `look into ${this.place}`,
      () => this.#backend.names(),
    );
    const listed = names as Partial<BackendNames> | undefined;
    const unfinished = this.#requireArray(listed?.unfinished);
    this.#requireIds(listed?.published);
    this.#requireIds(listed?.quarantined);
    this.#requireIds(unfinished.map((each) => each?.id));
    this.#requireArray(listed?.foreign);
    return names;
  }

  async readMeta(id: string, sizeMax: number): Promise<Uint8Array> {
    const what = `meta.json of snapshot ${id}`;
    const bytes = await this.#read(
      `read ${what}`,
      () => this.#backend.readMeta(id, sizeMax),
    );
    return this.#requireBytes(bytes, what, sizeMax);
  }

  async readBlocks(
    id: string,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    const what = `blocks.crc64 of snapshot ${id}`;
    const bytes = await this.#read(
      `read ${what}`,
      () => this.#backend.readBlocks(id, sizeMax),
    );
    return bytes === undefined
      ? undefined
      : this.#requireBytes(bytes, what, sizeMax);
  }

  async readExtra(
    id: string,
    name: ExtraName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    const what = `${name} of snapshot ${id}`;
    const bytes = await this.#read(
      `read ${what}`,
      async () => await this.#backend.readExtra?.(id, name, sizeMax),
    );
    return bytes === undefined
      ? undefined
      : this.#requireBytes(bytes, what, sizeMax);
  }

  async stateSize(id: string): Promise<number> {
    const doing = `look at state.bin of snapshot ${id}`;
    const size = await this.#read(doing, () => this.#backend.stateSize(id));
    return this.#requireSize(size, doing);
  }

  async openState(id: string, range: ByteRange): Promise<StateHandle> {
    const doing = `open state.bin of snapshot ${id}`;
    const handle = await this.#read(
      doing,
      () => this.#backend.openState(id, range),
    );
    try {
      this.#requireSize(handle.size, doing);
    } catch (error) {
      await closeQuietly(handle);
      throw error;
    }
    return new CheckedState(handle, id);
  }

  async takenIds(): Promise<readonly string[]> {
    const ids = await this.#change(() => this.#writable.takenIds());
    return this.#requireIds(ids);
  }

  begin(id: string, meta: Uint8Array): Promise<PendingSnapshot | "taken"> {
    return this.#change(async () => {
      const pending = await this.#writable.begin(id, meta);
      if (pending === "taken") return pending;
      if (!this.#isShut) return this.#track(pending);
      await pending.discard();
      throw this.#closedError();
    });
  }

  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>> {
    return this.#change(() => this.#writable.remove(ids, from));
  }

  finishRemovals(): Promise<void> {
    return this.#change(async () => await this.#writable.finishRemovals?.());
  }

  /** Only when {@linkcode canQuarantine}. */
  quarantine(id: string): Promise<string> {
    return this.#change(async () =>
      await this.#writable.quarantine?.(id) ?? id
    );
  }

  /** Only when {@linkcode canAddBlocks}. */
  addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    return this.#change(async () =>
      await this.#writable.addBlocks?.(id, bytes)
    );
  }

  /** From now on every call is refused but those that end what is open. */
  shut(): void {
    this.#isShut = true;
  }

  /** Resolves once no call changes the place any more. */
  async idle(): Promise<void> {
    while (this.#changes.size > 0) {
      await Promise.allSettled([...this.#changes]);
    }
  }

  /** Whether the store has been closed. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** @throws {StoreClosedError} when the store has been closed. */
  assertOpen(): void {
    if (this.#isShut) throw this.#closedError();
  }

  async close(): Promise<void> {
    await this.#backend.close?.();
  }

  /** Errors that are not ours are about the place. */
  async #read<T>(doing: string, call: () => Promise<T>): Promise<T> {
    this.assertOpen();
    try {
      return await call();
    } catch (error) {
      throw placeError(doing, error);
    }
  }

  async #change<T>(call: () => Promise<T>): Promise<T> {
    this.assertOpen();
    return await this.#noted(call());
  }

  /** Notes a call until it has settled. */
  async #noted<T>(call: Promise<T>): Promise<T> {
    this.#changes.add(call);
    try {
      return await call;
    } finally {
      this.#changes.delete(call);
    }
  }

  #track(pending: PendingSnapshot): PendingSnapshot {
    return {
      append: (bytes) => pending.append(bytes),
      publish: (parts: FinalParts) => this.#noted(pending.publish(parts)),
      discard: () => this.#noted(pending.discard()),
    };
  }

  #closedError(): StoreClosedError {
    return new StoreClosedError(`Cannot use the store ${this.place}: closed`);
  }

  #requireArray<T>(values: readonly T[] | undefined): readonly T[] {
    if (Array.isArray(values)) return values;
    throw this.#broken(`listed ${typeof values}, expected an array`);
  }

  #requireIds(values: readonly unknown[] | undefined): readonly string[] {
    for (const value of this.#requireArray(values)) {
      if (typeof value === "string" && parseId(value) !== undefined) continue;
      const found = typeof value === "string" ? quote(value) : typeof value;
      throw this.#broken(`listed ${found}, expected snapshot IDs`);
    }
    return values as readonly string[];
  }

  #requireBytes(bytes: unknown, what: string, sizeMax: number): Uint8Array {
    if (!(bytes instanceof Uint8Array)) {
      throw this.#broken(`gave ${typeof bytes} for ${what}, expected bytes`);
    }
    if (bytes.length <= sizeMax) return bytes;
    throw this.#broken(
      `gave ${bytes.length} bytes for ${what}, expected at most ${sizeMax}`,
    );
  }

  #requireSize(size: unknown, doing: string): number {
    if (Number.isSafeInteger(size) && (size as number) >= 0) {
      return size as number;
    }
    throw this.#broken(`gave the size ${String(size)} when asked to ${doing}`);
  }

  #broken(how: string): StoreAccessError {
    return new StoreAccessError(
      `Cannot use ${this.place}: its backend breaks its contract: it ${how}`,
    );
  }
}

/** A state whose reads are checked. */
class CheckedState implements StateHandle {
  readonly #handle: StateHandle;
  readonly #what: string;
  readonly size: number;

  constructor(handle: StateHandle, id: string) {
    this.#handle = handle;
    this.#what = `state.bin of snapshot ${id}`;
    this.size = handle.size;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let count: number;
    try {
      count = await this.#handle.read(buffer, position);
    } catch (error) {
      throw placeError(`read ${this.#what}`, error);
    }
    if (Number.isInteger(count) && count >= 0 && count <= buffer.length) {
      return count;
    }
    throw new StoreAccessError(
      `Cannot read ${this.#what}: the backend breaks its contract: it read ` +
        `${String(count)} bytes, expected 0 to ${buffer.length}`,
    );
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Nothing was written: a failure here takes nothing away. */
export async function closeQuietly(handle: StateHandle): Promise<void> {
  await handle.close().catch(() => {});
}
