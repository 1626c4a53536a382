/**
 * Which versions of a snapshot's objects were read, so that a list need not read
 * them again: listings tell the version of each.
 *
 * @module
 */

import type { FoundSnapshot } from "./catalog.ts";
import type { ListedObject } from "./client/listing.ts";

/** The objects that a list depends on. */
const PARTS = ["meta.json", "blocks.crc64", "state.bin"] as const;

/** Tells the versions of snapshots. */
export class Versions {
  /** The versions of objects that were read, by snapshot and object. */
  readonly #read = new Map<string, Map<string, string>>();

  /** The version of a snapshot as it was found. */
  of(found: FoundSnapshot): string {
    return PARTS.map((part) => versionOf(found.part(part))).join();
  }

  /** An object was read, or found missing. */
  noteRead(id: string, name: string, object: ListedObject | undefined): void {
    const objects = this.#read.get(id) ?? new Map<string, string>();
    this.#read.set(id, objects.set(name, versionOf(object)));
  }

  /** The version of the objects that were read of the snapshot; given once. */
  ofRead(id: string): string | undefined {
    const objects = this.#read.get(id);
    this.#read.delete(id);
    const versions = PARTS.map((part) => objects?.get(part));
    return versions.includes(undefined) ? undefined : versions.join();
  }

  /**
   * Forgets the objects that were read but whose version was never requested.
   */
  forgetRead(): void {
    this.#read.clear();
  }
}

function versionOf(object: ListedObject | undefined): string {
  return object === undefined ? "none" : `${object.etag}/${object.size}`;
}
