/**
 * The versions of the parts of a snapshot that were read in one look at it.
 *
 * @module
 */

import type { Look } from "./backend.ts";

/**
 * Keeps them by look, so that calls that look at the same snapshot side by side
 * never mix theirs: the snapshot may be replaced in between.
 */
export class ReadVersions {
  readonly #parts: readonly string[];
  readonly #looks = new WeakMap<Look, Map<string, string | undefined>>();

  /** `parts` are the names of those that a version depends on. */
  constructor(parts: readonly string[]) {
    this.#parts = parts;
  }

  /** Notes a part that is read, or found missing. */
  note(
    look: Look | undefined,
    part: string,
    version: string | undefined,
  ): void {
    if (look === undefined) return;
    const read = this.#looks.get(look) ?? new Map<string, string | undefined>();
    this.#looks.set(look, read.set(part, version));
  }

  /** The version of all parts; `undefined` when that of one is not known. */
  of(look: Look): string | undefined {
    const read = this.#looks.get(look);
    return joinVersions(this.#parts.map((part) => read?.get(part)));
  }
}

/** The version of a snapshot by those of its parts. */
export function joinVersions(
  parts: readonly (string | undefined)[],
): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join();
}
