/**
 * The places that snapshots are kept in, with all that goes wrong in the test's
 * hands. Behaviour that does not depend on the place is tested on
 * each.
 */

import { describe } from "node:test";
import type { SnapshotStore, StoreOptions } from "@raft/snapshots";
import { BackedStore } from "../../src/store/store.ts";
import { encode, Log, save, StoreFixture } from "../support/store_fixture.ts";
import { EditableBackend, type Part } from "./editable_backend.ts";

/** A place, and how to open the store on it. */
export interface Place {
  /** The log of the store. */
  readonly log: Log;
  /** How many states are open. */
  readonly openStates: number;
  /** Opens the store. */
  open(options?: StoreOptions): Promise<SnapshotStore>;
  /** The names that a directory has then, sorted; the lock's are left out. */
  names(): Promise<readonly string[]>;
  /** The content of a part of a snapshot. */
  read(id: string, part: Part): Promise<Uint8Array>;
  /** Puts other bytes there. */
  write(id: string, part: Part, content: Uint8Array | string): void;
  /** Flips one bit. */
  corrupt(id: string, offset?: number, part?: Part): Promise<void>;
  /** Makes a snapshot like Go's: without block checksums. */
  unseal(id: string): Promise<void>;
  /** Removes a part of a snapshot. */
  remove(id: string, part: Part): Promise<void>;
}

class FilePlace implements Place {
  readonly #fixture = new StoreFixture();
  readonly log = this.#fixture.log;

  get openStates(): number {
    return this.#fixture.openHandles;
  }

  open(options?: StoreOptions): Promise<SnapshotStore> {
    return this.#fixture.open(options);
  }

  names(): Promise<readonly string[]> {
    return Promise.resolve(this.#fixture.names());
  }

  read(id: string, part: Part): Promise<Uint8Array> {
    return Promise.resolve(this.#fixture.read(id, part));
  }

  write(id: string, part: Part, content: Uint8Array | string): void {
    this.#fixture.write(id, part, content);
  }

  corrupt(id: string, offset?: number, part?: Part): Promise<void> {
    return Promise.resolve(this.#fixture.corrupt(id, offset, part));
  }

  unseal(id: string): Promise<void> {
    return this.#fixture.unseal(id);
  }

  remove(id: string, part: Part): Promise<void> {
    return this.#fixture.remove(id, part);
  }
}

class MemoryPlace implements Place {
  readonly #backend = new EditableBackend();
  readonly log = new Log();

  get openStates(): number {
    return this.#backend.openStates;
  }

  open(options: StoreOptions = {}): Promise<SnapshotStore> {
    const { log } = this;
    const resolved = { logger: log, ...options };
    return Promise.resolve(new BackedStore(this.#backend, resolved));
  }

  async names(): Promise<readonly string[]> {
    const names = await this.#backend.names();
    return [
      ...names.published,
      ...names.quarantined.map((id) => `${id}.corrupt.tmp`),
      ...names.unfinished.map(({ id }) => `${id}.tmp`),
    ].sort();
  }

  read(id: string, part: Part): Promise<Uint8Array> {
    return this.#backend.read(id, part);
  }

  write(id: string, part: Part, content: Uint8Array | string): void {
    const bytes = typeof content === "string" ? encode(content) : content;
    this.#backend.write(id, part, bytes);
  }

  corrupt(id: string, offset?: number, part?: Part): Promise<void> {
    return this.#backend.corrupt(id, offset, part);
  }

  unseal(id: string): Promise<void> {
    return this.remove(id, "blocks.crc64");
  }

  remove(id: string, part: Part): Promise<void> {
    return Promise.resolve(this.#backend.removePart(id, part));
  }
}

/** Declares the tests of a subject for each kind of place. */
export function onEachPlace(
  subject: string,
  declare: (makePlace: () => Place) => void,
): void {
  describe(`${subject} in a directory`, () => declare(() => new FilePlace()));
  describe(`${subject} in memory`, () => declare(() => new MemoryPlace()));
}

/** Publishes snapshots that no later store has looked into; oldest first. */
export async function prepare(
  place: Place,
  indexes: readonly (number | bigint)[],
  term: number | bigint = 3n,
): Promise<string[]> {
  const store = await place.open({ retain: 100 });
  const ids: string[] = [];
  for (const index of indexes) {
    ids.push(await save(store, `state ${index}`, { index, term }));
  }
  await store.close();
  return ids;
}
