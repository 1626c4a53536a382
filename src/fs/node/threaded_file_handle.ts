/**
 * New files whose large writes run in other threads, on Deno. Its `node:fs`
 * reads and syncs in other threads but writes in the caller's, so that nothing
 * is computed or received meanwhile (seen with strace on Deno 2.9.6). Its
 * `Deno.FsFile` writes in another thread, but lets a write wait while a sync is
 * under way. So such a file is open twice: one descriptor makes the large writes,
 * and the other one, of `node:fs`, does everything else.
 *
 * @module
 */

import { deno, type DenoFile } from "../../runtime/deno.ts";
import { isOnLocalDisk } from "../lock/disk_identity.ts";
import type { Descriptor } from "./descriptor.ts";
import { NodeFileHandle } from "./file_handle.ts";
import { canHoldDirectories, DESCRIPTORS } from "./held_directory.ts";

/** To hand fewer bytes to a thread takes about as long as to write them. */
const THREADED_BYTES_MIN = 256 * 1024;

/** As {@linkcode NodeFileHandle}, for a file that was just made. */
export class ThreadedFileHandle extends NodeFileHandle {
  readonly #first: Descriptor;
  /** The second descriptor, once it is needed. */
  #opening: Promise<DenoFile | undefined> | undefined;
  /** Where it writes next; `undefined` when that is unknown. */
  #position: number | undefined = 0;
  #isBusy = false;
  #closing: Promise<void> | undefined;

  constructor(file: Descriptor) {
    super(file);
    this.#first = file;
  }

  override async write(bytes: Uint8Array, position: number): Promise<number> {
    // One at a time, because no other may come between a seek and its write.
    if (bytes.length < THREADED_BYTES_MIN || this.#isBusy) {
      return await super.write(bytes, position);
    }
    this.#isBusy = true;
    try {
      const written = await this.#first.during(() =>
        this.#writeThreaded(bytes, position)
      );
      return written ?? await super.write(bytes, position);
    } finally {
      this.#isBusy = false;
    }
  }

  override close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      // Ends after the large write that is under way.
      await super.close();
    } finally {
      (await this.#opening)?.close();
    }
  }

  /**
   * Writes by the second descriptor; `undefined` without one. The first one must
   * stay open meanwhile, because its number would be another file's.
   */
  async #writeThreaded(
    bytes: Uint8Array,
    position: number,
  ): Promise<number | undefined> {
    this.#opening ??= openAgain(this.#first.fd);
    const file = await this.#opening;
    if (file === undefined) return undefined;
    const isThere = this.#position === position;
    // A failure leaves it somewhere.
    this.#position = undefined;
    if (!isThere) await file.seek(position, 0);
    const written = await file.write(bytes);
    this.#position = position + written;
    return written;
  }
}

/**
 * Opens a file once more, by its descriptor, so that it can't be another file;
 * `undefined` where that is not possible or not safe. It is safe on local disks:
 * their kernel keeps unwritten bytes, and failures to write them, by file. So a
 * sync through one descriptor covers the writes through the other. A network
 * file system, or one in user space, may keep them by descriptor.
 */
async function openAgain(fd: number): Promise<DenoFile | undefined> {
  if (!canHoldDirectories()) return undefined;
  const path = `${DESCRIPTORS}/${fd}`;
  try {
    return await isOnLocalDisk(path)
      ? await deno?.open(path, { write: true })
      : undefined;
  } catch {
    // The file's own mode may forbid it, or descriptors may have run out.
    return undefined;
  }
}
