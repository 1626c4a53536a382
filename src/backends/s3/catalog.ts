/**
 * The snapshots in a bucket, found by listings.
 *
 * @module
 */

import { SnapshotCorruptError, SnapshotNotFoundError } from "../../errors.ts";
import type { S3Client } from "./client/client.ts";
import { type ListedObject, listObjects } from "./client/listing.ts";
import { isSweepMark, type KeySpace, type PartName } from "./names.ts";

/** The state of a snapshot, by the objects that it has. */
export type FoundState =
  | "published"
  | "quarantined"
  | "deleted"
  | "abandoned"
  | "writing";

/** The objects of a snapshot. */
export class FoundSnapshot {
  readonly id: string;
  readonly #parts = new Map<PartName, ListedObject>();

  constructor(id: string) {
    this.id = id;
  }

  add(part: PartName, object: ListedObject): void {
    this.#parts.set(part, object);
  }

  /** The names of its objects. */
  get parts(): readonly PartName[] {
    return [...this.#parts.keys()];
  }

  part(name: PartName): ListedObject | undefined {
    return this.#parts.get(name);
  }

  /** @throws {SnapshotCorruptError} when it is missing. */
  demand(name: "meta.json" | "state.bin"): ListedObject {
    const object = this.#parts.get(name);
    if (object !== undefined) return object;
    throw new SnapshotCorruptError(`${name} of snapshot ${this.id}`, {
      reason: name === "meta.json" ? "meta" : "size",
      expected: "an object",
      actual: "nothing",
    });
  }

  get state(): FoundState {
    if (this.#parts.has("deleted")) return "deleted";
    if (this.parts.some(isSweepMark)) return "abandoned";
    if (this.#parts.has("corrupt")) return "quarantined";
    return this.#parts.has("meta.json") ? "published" : "writing";
  }

  /** Whether all objects that a reader needs are there. */
  get isWhole(): boolean {
    return this.#parts.has("meta.json") && this.#parts.has("state.bin");
  }

  /** The sum of the lengths of its objects, in bytes. */
  get size(): number {
    return [...this.#parts.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * When the last of its objects was written, by the server's clock; the marks
   * of sweeps count only where there is nothing else.
   */
  get modified(): number {
    const all = [...this.#parts];
    const others = all.filter(([name]) => !isSweepMark(name));
    const times = (others.length > 0 ? others : all)
      .map(([, { modified }]) => modified);
    return Math.max(...times);
  }
}

/** Everything in the store's part of a bucket. */
export interface Found {
  readonly snapshots: ReadonlyMap<string, FoundSnapshot>;
  /** Keys that this library did not write; not all when there are many. */
  readonly foreign: readonly string[];
  /** The snapshot IDs in those keys: no new snapshot may have them. */
  readonly foreignIds: ReadonlySet<string>;
}

/** How many keys of others are named. */
const FOREIGN_MAX = 100;

/** Looks into the bucket. */
export class Catalog {
  readonly #client: S3Client;
  readonly #keys: KeySpace;
  /** From the last listing of all. */
  #listed: ReadonlyMap<string, FoundSnapshot> = new Map();
  /** The result of the last look at each snapshot. */
  readonly #seen = new Map<string, FoundSnapshot>();

  constructor(client: S3Client, keys: KeySpace) {
    this.#client = client;
    this.#keys = keys;
  }

  /** Lists the store. */
  async list(): Promise<Found> {
    const objects = await listObjects(this.#client, this.#keys.root);
    const snapshots = new Map<string, FoundSnapshot>();
    const foreign: string[] = [];
    const foreignIds = new Set<string>();
    let others = 0;
    for (const object of objects) {
      const name = this.#keys.parse(object.key);
      if (name === undefined) {
        const id = this.#keys.idOf(object.key);
        if (id !== undefined) foreignIds.add(id);
        if (foreign.length < FOREIGN_MAX) foreign.push(object.key);
        else others++;
        continue;
      }
      const found = snapshots.get(name.id) ?? new FoundSnapshot(name.id);
      snapshots.set(name.id, found);
      found.add(name.part, object);
    }
    if (others > 0) foreign.push(`${others} more keys`);
    this.#listed = snapshots;
    this.#seen.clear();
    return { snapshots, foreign, foreignIds };
  }

  /** Lists one snapshot; it has no objects when there is none. */
  async look(id: string): Promise<FoundSnapshot> {
    const found = new FoundSnapshot(id);
    for (const object of await listObjects(this.#client, this.#keys.of(id))) {
      const name = this.#keys.parse(object.key);
      if (name !== undefined) found.add(name.part, object);
    }
    this.#seen.set(id, found);
    return found;
  }

  /**
   * A published snapshot: as it was listed when that was just now, so that a list
   * need not look at each; else it is looked at.
   *
   * @throws {SnapshotNotFoundError} when it is not published.
   */
  async find(id: string, isListed: boolean): Promise<FoundSnapshot> {
    const listed = isListed ? this.#listed.get(id) : undefined;
    if (listed === undefined) return requirePublished(await this.look(id));
    this.#seen.set(id, listed);
    return requirePublished(listed);
  }

  /** A snapshot as it was when all were listed. */
  listed(id: string): FoundSnapshot | undefined {
    return this.#listed.get(id);
  }

  /** A published snapshot, looked at by itself after the listing of all. */
  async current(id: string): Promise<FoundSnapshot> {
    const seen = this.#seen.get(id);
    const isOfAll = seen === undefined || seen === this.#listed.get(id);
    return requirePublished(isOfAll ? await this.look(id) : seen);
  }

  /** A published snapshot, as it was at the last look at it. */
  async recall(id: string): Promise<FoundSnapshot> {
    return requirePublished(this.#seen.get(id) ?? await this.look(id));
  }

  /** Forgets a snapshot that has changed. */
  forget(id: string): void {
    this.#seen.delete(id);
  }
}

function requirePublished(found: FoundSnapshot): FoundSnapshot {
  if (found.state === "published") return found;
  throw new SnapshotNotFoundError(
    `Cannot find snapshot ${found.id} in the bucket`,
  );
}
