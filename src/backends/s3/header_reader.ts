/**
 * Reads the objects of snapshots beside their states, a few at a time.
 *
 * @module
 */

import { SnapshotCorruptError, SnapshotNotFoundError } from "../../errors.ts";
import type { Catalog, FoundSnapshot } from "./catalog.ts";
import type { S3Client } from "./client/client.ts";
import { S3Failure } from "./client/failure.ts";
import type { ListedObject } from "./client/listing.ts";
import { readObject } from "./client/objects.ts";
import type { PartName } from "./names.ts";
import { Slots } from "./slots.ts";
import { Versions } from "./versions.ts";

/** How many are read side by side. */
const CONCURRENCY = 8;

/** Reads small objects, and knows their versions. */
export class HeaderReader {
  readonly #client: S3Client;
  readonly #catalog: Catalog;
  readonly #slots = new Slots(CONCURRENCY);
  readonly #versions = new Versions();

  constructor(client: S3Client, catalog: Catalog) {
    this.#client = client;
    this.#catalog = catalog;
  }

  /**
   * The bytes of `meta.json`; it looks first whether there is such a snapshot,
   * unless that was just listed.
   */
  async readMeta(
    id: string,
    sizeMax: number,
    isListed: boolean,
  ): Promise<Uint8Array> {
    const found = await this.#catalog.find(id, isListed);
    return await this.#insist(found, async (found) => {
      const object = found.demand("meta.json");
      return await this.#read(found, "meta.json", object, sizeMax);
    });
  }

  /** The bytes of another object; `undefined` when there is none. */
  async readOptional(
    id: string,
    part: PartName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    const found = await this.#catalog.recall(id);
    return await this.#insist(found, async (found) => {
      const object = found.part(part);
      if (object) return await this.#read(found, part, object, sizeMax);
      this.#versions.noteRead(id, part, undefined);
      return undefined;
    });
  }

  /** The length of the state in bytes. */
  async stateSize(id: string): Promise<number> {
    const object = (await this.#catalog.recall(id)).demand("state.bin");
    this.#versions.noteRead(id, "state.bin", object);
    return object.size;
  }

  /** The versions of the results of these, by the last listing of all. */
  versions(ids: readonly string[]): (string | undefined)[] {
    return ids.map((id) => {
      const found = this.#catalog.listed(id);
      return found && this.#versions.of(found);
    });
  }

  /** The version of the last results of these; given once. */
  versionRead(id: string): string | undefined {
    return this.#versions.ofRead(id);
  }

  /** Forgets the versions of the objects that were read. */
  forgetRead(): void {
    this.#versions.forgetRead();
  }

  async #read(
    { id }: FoundSnapshot,
    part: PartName,
    object: ListedObject,
    sizeMax: number,
  ): Promise<Uint8Array> {
    const { key, etag, size } = object;
    const what = `${part} of snapshot ${id}`;
    if (size > sizeMax) throw tooLong(what, size, sizeMax);
    try {
      const bytes = await this.#slots.run(() =>
        readObject(this.#client, { key, etag, size })
      );
      this.#versions.noteRead(id, part, object);
      return bytes;
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      if (!error.isMissing && !error.isUnmet) throw error;
      const message = `Cannot read ${what}: the object was removed or replaced`;
      throw new SnapshotNotFoundError(message, { cause: error });
    }
  }

  /**
   * Reads once more when the object has been removed or replaced since it was
   * found.
   */
  async #insist<T>(
    found: FoundSnapshot,
    read: (found: FoundSnapshot) => Promise<T>,
  ): Promise<T> {
    try {
      return await read(found);
    } catch (error) {
      if (!(error instanceof SnapshotNotFoundError)) throw error;
      await this.#catalog.look(found.id);
      return await read(await this.#catalog.recall(found.id));
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
