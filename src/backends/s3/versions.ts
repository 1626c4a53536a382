/**
 * Which versions of a snapshot's objects were read, so that a list need not read
 * them again: listings tell the version of each.
 *
 * @module
 */

import type { Look } from "../../backend/backend.ts";
import { ReadVersions } from "../../backend/read_versions.ts";
import type { FoundSnapshot } from "./catalog.ts";
import type { ListedObject } from "./client/listing.ts";

/** The objects that a list depends on. */
const PARTS = ["meta.json", "blocks.crc64", "state.bin"] as const;

/** Tells the versions of snapshots. */
export class Versions {
  readonly #read = new ReadVersions(PARTS);

  /** The version of a snapshot as it was found. */
  of(found: FoundSnapshot): string {
    return PARTS.map((part) => versionOf(found.part(part))).join();
  }

  /** Notes an object that was read, or found missing. */
  noteRead(
    look: Look | undefined,
    name: string,
    object: ListedObject | undefined,
  ): void {
    this.#read.note(look, name, versionOf(object));
  }

  /** The version of the objects that were read in a look. */
  ofRead(look: Look): string | undefined {
    return this.#read.of(look);
  }
}

function versionOf(object: ListedObject | undefined): string {
  return object === undefined ? "none" : `${object.etag}/${object.size}`;
}
