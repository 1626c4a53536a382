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
  /** Ends the read that is under way: there is one at a time. */
  #endRead: (error: Error) => void = () => {};

  /** @throws {StoreAccessError} when its size can't be one. */
  constructor(handle: StateHandle, id: string) {
    this.#handle = handle;
    this.#what = `state.bin of snapshot ${id}`;
    this.size = requireSize(handle.size, this.#what);
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { length } = buffer;
    let count: unknown;
    try {
      count = await this.#read(buffer, position);
    } catch (error) {
      throw toReadError(`read ${this.#what}`, error);
    }
    if (buffer.length !== length) {
      throw brokenContract(`it took the buffer for ${this.#what} away`);
    }
    return requireCount(count, length, this.#what);
  }

  /** Lets the state go; a read that is under way ends with it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Settles as the backend's read does, or when the state is closed. */
  #read(buffer: Uint8Array, position: number): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      this.#endRead = reject;
      const reading = this.#handle.read(buffer, position);
      Promise.resolve(reading).then(resolve, reject);
    });
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#endRead(this.#closedError());
    }
  }

  #closedError(): SnapshotError {
    return new SnapshotError(`Cannot read ${this.#what}: it has been closed`);
  }
}

/** Nothing was written: a failure here takes nothing away. */
export async function closeQuietly(
  handle: Pick<StateHandle, "close">,
): Promise<void> {
  try {
    await handle.close();
  } catch {
    // The reader has the bytes that it asked for.
  }
}
