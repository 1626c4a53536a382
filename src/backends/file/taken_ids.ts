/**
 * Remembers which IDs no new snapshot may have, so that not every `create()`
 * reads the directory.
 *
 * @module
 */

import { parseId } from "../../snapshot/id.ts";
import type { DirectoryNames } from "./read_names.ts";

/**
 * The IDs that were taken at the last look, and those that were begun since.
 * With the lock no other program should make any. A program that does so is
 * noticed when an ID turns out to be taken, and at the next look.
 */
export class TakenIds {
  #known: Set<string> | undefined;

  /** The IDs; `undefined` when the directory has to be read. */
  get known(): readonly string[] | undefined {
    return this.#known && [...this.#known];
  }

  /** Notes the names that were read from the directory. */
  note({ ids, temporary, foreign }: DirectoryNames): readonly string[] {
    const taken = [
      ...ids,
      ...temporary.map(({ id }) => id),
      ...foreign.filter((name) => parseId(name) !== undefined),
    ];
    this.#known = new Set(taken);
    return taken;
  }

  /** Notes that a snapshot of this store has the ID. */
  add(id: string): void {
    this.#known?.add(id);
  }

  /** Notes that a begun snapshot was removed without a trace. */
  remove(id: string): void {
    this.#known?.delete(id);
  }

  /** Forgets all: another program has changed the directory, or replaced it. */
  forget(): void {
    this.#known = undefined;
  }
}
