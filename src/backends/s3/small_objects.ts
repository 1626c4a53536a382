/**
 * The small objects of snapshots. Each version of one is read once: listing a
 * thousand snapshots again costs no more than the listing itself.
 *
 * @module
 */

import { SnapshotCorruptError, SnapshotNotFoundError } from "../../errors.ts";
import type { S3Client } from "./client/client.ts";
import { S3Failure } from "./client/failure.ts";
import type { ListedObject } from "./client/listing.ts";
import { readObject } from "./client/objects.ts";
import { Slots } from "./slots.ts";

/** How many are read side by side. */
const CONCURRENCY = 8;

/** What is remembered in all, and of one object, in bytes. */
const REMEMBERED_MAX = 16 * 1024 * 1024;
const EACH_MAX = 1024 * 1024;

/** Reads small objects. */
export class SmallObjects {
  readonly #client: S3Client;
  readonly #slots = new Slots(CONCURRENCY);
  /** By key and version; the oldest first. */
  readonly #remembered = new Map<string, Uint8Array>();
  #size = 0;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /**
   * The bytes of an object.
   *
   * @throws {SnapshotCorruptError} when it is longer than `sizeMax` bytes.
   * @throws {SnapshotNotFoundError} when it is gone, or was replaced.
   */
  async read(
    { key, etag, size }: ListedObject,
    what: string,
    sizeMax: number,
  ): Promise<Uint8Array> {
    if (size > sizeMax) throw tooLong(what, size, sizeMax);
    const version = `${key} ${etag}`;
    const found = this.#remembered.get(version);
    if (found !== undefined) return found;
    const object = { key, etag, sizeMax: size };
    try {
      const read = () => readObject(this.#client, object);
      const bytes = await this.#slots.run(read);
      this.#remember(version, bytes);
      return bytes;
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      if (!error.isMissing && !error.isUnmet) throw error;
      const message = `Cannot read ${what}: it was removed or replaced`;
      throw new SnapshotNotFoundError(message, { cause: error });
    }
  }

  #remember(version: string, bytes: Uint8Array): void {
    if (bytes.length > EACH_MAX) return;
    // Two callers may have read it side by side.
    if (this.#remembered.has(version)) return;
    this.#remembered.set(version, bytes);
    this.#size += bytes.length;
    for (const [oldest, { length }] of this.#remembered) {
      if (this.#size <= REMEMBERED_MAX) break;
      this.#remembered.delete(oldest);
      this.#size -= length;
    }
  }
}

function tooLong(what: string, size: number, sizeMax: number) {
  return new SnapshotCorruptError(what, {
    reason: "meta",
    expected: `at most ${sizeMax} bytes`,
    actual: `${size} bytes`,
  });
}
