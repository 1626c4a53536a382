/**
 * The snapshots that a store must have after a crash.
 *
 * @module
 */

import { crc64 } from "@raft/snapshots/crc64";

/**
 * The requests to a store and its answers; from these follows which snapshots
 * must be there after a crash, which may be, and which must not.
 */
export class Expectations {
  /** How many snapshots the store keeps at least. */
  retain = 2;
  readonly #contents = new Map<string, Uint8Array>();
  readonly #acknowledged: string[] = [];
  readonly #deleting = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #sealed = new Set<string>();
  readonly #imported = new Set<string>();
  readonly #corrupted = new Set<string>();
  /** For a snapshot those that were being published when it was. */
  readonly #together = new Map<string, ReadonlySet<string>>();
  readonly #checksumsCorrupted = new Set<string>();
  /** The contents that each archive may have; `undefined`: no file. */
  readonly #archives = new Map<string, readonly (Uint8Array | undefined)[]>();
  #frozen = false;

  /** A copy that changes independently of this one. */
  copy(): Expectations {
    const copy = new Expectations();
    copy.retain = this.retain;
    for (const [id, bytes] of this.#contents) copy.#contents.set(id, bytes);
    copy.#acknowledged.push(...this.#acknowledged);
    for (const id of this.#deleting) copy.#deleting.add(id);
    for (const id of this.#deleted) copy.#deleted.add(id);
    for (const id of this.#sealed) copy.#sealed.add(id);
    for (const id of this.#imported) copy.#imported.add(id);
    for (const id of this.#corrupted) copy.#corrupted.add(id);
    for (const id of this.#checksumsCorrupted) copy.#checksumsCorrupted.add(id);
    for (const [path, may] of this.#archives) copy.#archives.set(path, may);
    for (const [id, ids] of this.#together) copy.#together.set(id, ids);
    return copy;
  }

  /** The process has stopped: all later records are ignored. */
  freeze(): void {
    this.#frozen = true;
  }

  /** The store was asked to publish this state: from now on it may be found. */
  publishing(id: string, state: Uint8Array): void {
    if (this.#frozen) return;
    const others = [...this.#contents.keys()]
      .filter((other) => other !== id && this.isBeingPublished(other));
    this.#together.set(id, new Set(others));
    this.#contents.set(id, state);
    // The ID may be that of a snapshot that was removed, because the clock was
    // set back: its history says nothing of this one.
    const known = this.#acknowledged.indexOf(id);
    if (known >= 0) this.#acknowledged.splice(known, 1);
    for (
      const ids of [
        this.#deleting,
        this.#deleted,
        this.#sealed,
        this.#corrupted,
        this.#checksumsCorrupted,
      ]
    ) ids.delete(id);
  }

  /** The store has answered that it is published, or has restored it. */
  acknowledged(id: string): void {
    if (this.#frozen) return;
    this.#acknowledged.push(id);
    // The store handed it out, so an earlier deletion was cut off by a crash.
    this.#deleting.delete(id);
  }

  /** The store has answered that it is not published: it must not be found. */
  refused(id: string): void {
    if (!this.#frozen) this.#contents.delete(id);
  }

  /** The store was asked to delete it: from now on it need not be found. */
  deleting(id: string): void {
    if (!this.#frozen) this.#deleting.add(id);
  }

  /** The store has answered that it is deleted. */
  deleted(id: string): void {
    if (!this.#frozen) this.#deleted.add(id);
  }

  /** The store has answered that it has block checksums. */
  sealed(id: string): void {
    if (!this.#frozen) this.#sealed.add(id);
  }

  /** The snapshot is one of an archive: wherever found, it has its origin. */
  importing(id: string): void {
    if (!this.#frozen) this.#imported.add(id);
  }

  /** The archive is being written: the old file may be found, or the new. */
  exporting(path: string, archive: Uint8Array): void {
    if (this.#frozen) return;
    const before = this.#archives.get(path) ?? [undefined];
    this.#archives.set(path, [...before, archive]);
  }

  /** The command has answered that the archive is there: nothing else may be. */
  exported(path: string, archive: Uint8Array): void {
    if (!this.#frozen) this.#archives.set(path, [archive]);
  }

  /** Each archive's path, and the contents that may be found there. */
  get archives(): ReadonlyMap<string, readonly (Uint8Array | undefined)[]> {
    return this.#archives;
  }

  /** Expectations of equal fingerprints are equal. */
  get fingerprint(): string {
    const contents = [...this.#contents].map(([id, state]) =>
      `${id}=${state.length}:${state.subarray(0, 8)}`
    );
    return [
      contents,
      this.#acknowledged,
      [...this.#deleting],
      [...this.#deleted],
      [...this.#sealed],
      [...this.#imported],
      [...this.#archives].map(([path, may]) =>
        `${path}=${may.map((archive) => archive && crc64(archive))}`
      ),
      [...this.#together].map(([id, ids]) => `${id}=${[...ids]}`),
      this.retain,
    ].join("/");
  }

  /** The test has changed a byte of its state. */
  corrupted(id: string): void {
    this.#corrupted.add(id);
  }

  /** The test has changed a byte of its block checksums. */
  checksumsCorrupted(id: string): void {
    this.#checksumsCorrupted.add(id);
  }

  /** The state that a snapshot must have, if it may be found at all. */
  contentOf(id: string): Uint8Array | undefined {
    return this.#deleted.has(id) ? undefined : this.#contents.get(id);
  }

  /** Whether its state is not the one that was written. */
  isCorrupted(id: string): boolean {
    return this.#corrupted.has(id);
  }

  /** Whether any snapshot was corrupted. */
  get hasCorrupted(): boolean {
    return this.#corrupted.size > 0;
  }

  /** Whether `verify()` may find fault with its block checksums. */
  hasCorruptChecksums(id: string): boolean {
    return this.#checksumsCorrupted.has(id) && !this.#sealed.has(id);
  }

  /** Whether it must have block checksums. */
  isSealed(id: string): boolean {
    return this.#sealed.has(id);
  }

  /** Whether it must have the origin that an import keeps. */
  isImported(id: string): boolean {
    return this.#imported.has(id);
  }

  /**
   * The snapshots that the store must still have unless retention has removed
   * them; the first acknowledged comes first.
   */
  get required(): string[] {
    return this.#acknowledged.filter((id) =>
      !this.#deleting.has(id) && !this.#corrupted.has(id)
    );
  }

  /** Whether the one was asked for before the answer about the other. */
  werePublishedTogether(one: string, other: string): boolean {
    return this.#together.get(one)?.has(other) === true ||
      this.#together.get(other)?.has(one) === true;
  }

  /** Whether the store was asked to publish it and has not answered yet. */
  isBeingPublished(id: string): boolean {
    return this.#contents.has(id) && !this.#acknowledged.includes(id);
  }
}
