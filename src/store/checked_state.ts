/**
 * An open state whose reads are checked.
 *
 * @module
 */

import type { StateHandle } from "../backend/backend.ts";
import { SnapshotError } from "../errors.ts";
import { brokenContract, requireCount, requireSize } from "./contract.ts";
import { toReadError } from "./error_scope.ts";

/** A state whose reads are checked, and end when it is closed. */
export class CheckedState implements StateHandle {
  readonly #handle: StateHandle;
  readonly #what: string;
  /** Its length in bytes, as the place has it. */
  readonly size: number;
  #closing: Promise<void> | undefined;
  /** Functions that end the pending reads: one read, and one repeated read. */
  readonly #endReads = new Set<(error: Error) => void>();
  /** See {@linkcode StateHandle.reread}; only where the backend has it. */
  readonly reread?: (buffer: Uint8Array, position: number) => Promise<void>;

  /**
   * @throws {StoreAccessError} when the backend gives a size that is not
   * possible.
   */
  constructor(handle: StateHandle, id: string) {
    this.#handle = handle;
    this.#what = `state.bin of snapshot ${id}`;
    this.size = requireSize(handle.size, this.#what);
    if (handle.reread === undefined) return;
    this.reread = (buffer, position) => this.#reread(buffer, position);
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { length } = buffer;
    const count = await this.#read(
      buffer,
      () => this.#handle.read(buffer, position),
    );
    return requireCount(count, length, this.#what);
  }

  async #reread(buffer: Uint8Array, position: number): Promise<void> {
    if (this.#closing !== undefined) throw this.#closedError();
    await this.#read(
      buffer,
      async () => await this.#handle.reread?.(buffer, position),
    );
  }

  /** Releases the state, and ends a pending read. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #read<T>(buffer: Uint8Array, read: () => Promise<T>): Promise<T> {
    const { length } = buffer;
    let result: T;
    try {
      result = await this.#unlessClosed(read);
    } catch (error) {
      throw toReadError(`read ${this.#what}`, error);
    }
    if (buffer.length === length) return result;
    throw brokenContract(
      `the buffer for ${this.#what} was transferred or shrunk`,
    );
  }

  /** Settles as the backend's read does, or when the state is closed. */
  async #unlessClosed<T>(read: () => Promise<T>): Promise<T> {
    let end: (error: Error) => void = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        end = reject;
        this.#endReads.add(end);
        Promise.resolve(read()).then(resolve, reject);
      });
    } finally {
      this.#endReads.delete(end);
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      for (const end of this.#endReads) end(this.#closedError());
    }
  }

  #closedError(): SnapshotError {
    return new SnapshotError(
      `Cannot read ${this.#what}: the state has been closed`,
    );
  }
}

/** Nothing was written, so a failure here loses nothing. */
export async function closeQuietly(
  handle: Pick<StateHandle, "close">,
): Promise<void> {
  try {
    await handle.close();
  } catch {
    // The reader has its bytes already.
  }
}
