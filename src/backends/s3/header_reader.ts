/**
 * Reads the objects of snapshots beside their states, a few at a time.
 *
 * @module
 */

import type { Look } from "../../backend/backend.ts";
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

/** An object of a snapshot, and the look that it is read in. */
interface PartToRead {
  readonly id: string;
  readonly name: PartName;
  readonly look: Look | undefined;
}

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
    look?: Look,
  ): Promise<Uint8Array> {
    const found = await this.#catalog.find(id, look?.isListed ?? false);
    return await this.#insist(found, async (found) => {
      const object = found.demand("meta.json");
      const part = { id, name: "meta.json", look } as const;
      return await this.#read(part, object, sizeMax);
    });
  }

  /** The bytes of another object; `undefined` when there is none. */
  async readOptional(
    id: string,
    name: PartName,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined> {
    const found = await this.#catalog.recall(id);
    return await this.#insist(found, async (found) => {
      const object = found.part(name);
      if (object) return await this.#read({ id, name, look }, object, sizeMax);
      this.#versions.noteRead(look, name, undefined);
      return undefined;
    });
  }

  /** The length of the state in bytes. */
  async stateSize(id: string, look?: Look): Promise<number> {
    const object = (await this.#catalog.recall(id)).demand("state.bin");
    this.#versions.noteRead(look, "state.bin", object);
    return object.size;
  }

  /** The versions of the results of these, by the last listing of all. */
  versions(ids: readonly string[]): (string | undefined)[] {
    return ids.map((id) => {
      const found = this.#catalog.listed(id);
      return found && this.#versions.of(found);
    });
  }

  /** The version of the results of these in one look. */
  versionRead(look: Look): string | undefined {
    return this.#versions.ofRead(look);
  }

  async #read(
    { id, name, look }: PartToRead,
    object: ListedObject,
    sizeMax: number,
  ): Promise<Uint8Array> {
    const { key, etag, size } = object;
    const what = `${name} of snapshot ${id}`;
    if (size > sizeMax) throw tooLong(what, size, sizeMax);
    try {
      const bytes = await this.#slots.run(() =>
        readObject(this.#client, { key, etag, size })
      );
      this.#versions.noteRead(look, name, object);
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
