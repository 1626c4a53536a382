/**
 * `state.bin` of a snapshot that is being written.
 *
 * @module
 */

import type { FileHandle } from "../../fs/file_system.ts";
import { writeFully } from "../../fs/io.ts";

/**
 * Bytes after which a sync is begun. Without it the system would let the disk
 * idle until the end, and then make the caller wait for all of it.
 */
const SYNC_INTERVAL_BYTES = 64 * 1024 * 1024;

/** Appends to a file, and begins to sync it early. */
export class StateFile {
  readonly #file: FileHandle;
  #position = 0;
  /** The write that is under way, or was the last. */
  #writing: Promise<void> = Promise.resolve();
  /** The early sync that is under way, or was the last. */
  #syncing: Promise<void> = Promise.resolve();
  #syncState: "idle" | "running" | { readonly error: unknown } = "idle";
  /** The length of the state when that sync began. */
  #syncedTo = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Appends; throws at once when an early sync has failed. */
  append(bytes: Uint8Array): Promise<void> {
    if (typeof this.#syncState === "object") throw this.#syncState.error;
    this.#writing = writeFully(this.#file, bytes, this.#position);
    this.#position += bytes.length;
    if (this.#position - this.#syncedTo >= SYNC_INTERVAL_BYTES) {
      this.#syncEarly();
    }
    return this.#writing;
  }

  /** Makes the state durable. The caller says which crash it survives. */
  async sync(): Promise<void> {
    await this.#syncing;
    await this.#file.sync();
  }

  /** Resolves, never rejects, when nothing is under way any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  /**
   * Survives no crash by itself: the sync of the whole file does, and this
   * leaves it less to write. But the system reports lost writes only once, so a
   * failure here ends the snapshot.
   */
  #syncEarly(): void {
    if (this.#syncState !== "idle") return;
    this.#syncState = "running";
    this.#syncedTo = this.#position;
    this.#syncing = this.#file.sync();
    this.#syncing.then(
      () => this.#syncState = "idle",
      (error) => this.#syncState = { error },
    );
  }
}
