/**
 * What a store has promised so far.
 *
 * @module
 */

import { crc64 } from "@raft/snapshots/crc64";

/** What was asked of a store, and what it has answered. */
export class Ledger {
  /** How many snapshots the store keeps at least. */
  retain = 2;
  readonly #contents = new Map<string, Uint8Array>();
  readonly #acknowledged: string[] = [];
  readonly #deleting = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #sealed = new Set<string>();
  readonly #imported = new Set<string>();
  readonly #spoiled = new Set<string>();
  readonly #blemished = new Set<string>();
  /** What each archive may be found to be; `undefined`: no file. */
  readonly #archives = new Map<string, readonly (Uint8Array | undefined)[]>();
  #frozen = false;

  /** A copy that goes on from here. */
  copy(): Ledger {
    const copy = new Ledger();
    copy.retain = this.retain;
    for (const [id, bytes] of this.#contents) copy.#contents.set(id, bytes);
    copy.#acknowledged.push(...this.#acknowledged);
    for (const id of this.#deleting) copy.#deleting.add(id);
    for (const id of this.#deleted) copy.#deleted.add(id);
    for (const id of this.#sealed) copy.#sealed.add(id);
    for (const id of this.#imported) copy.#imported.add(id);
    for (const id of this.#spoiled) copy.#spoiled.add(id);
    for (const id of this.#blemished) copy.#blemished.add(id);
    for (const [path, may] of this.#archives) copy.#archives.set(path, may);
    return copy;
  }

  /** The machine has stopped: what is promised from now on counts for nothing. */
  freeze(): void {
    this.#frozen = true;
  }

  /** The store was asked to publish this state: from now on it may be found. */
  publishing(id: string, state: Uint8Array): void {
    if (this.#frozen) return;
    this.#contents.set(id, state);
    // The ID may be that of one that is gone for good.
    const known = this.#acknowledged.indexOf(id);
    if (known >= 0) this.#acknowledged.splice(known, 1);
  }

  /** The store has answered that it is published, or has handed it out. */
  acknowledged(id: string): void {
    if (this.#frozen) return;
    this.#acknowledged.push(id);
    // Who died over a deletion has not deleted what is handed out later.
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

  /** Two ledgers of one fingerprint promise the same. */
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
      this.retain,
    ].join("/");
  }

  /** Somebody has changed a byte of it. */
  spoiled(id: string): void {
    this.#spoiled.add(id);
  }

  /** Somebody has changed a byte of its block checksums. */
  blemished(id: string): void {
    this.#blemished.add(id);
  }

  /** The state that a snapshot must have, if it may be found at all. */
  contentOf(id: string): Uint8Array | undefined {
    return this.#deleted.has(id) ? undefined : this.#contents.get(id);
  }

  /** Whether its state is not the one that was written. */
  isSpoiled(id: string): boolean {
    return this.#spoiled.has(id);
  }

  /** Whether some snapshot was spoiled. */
  get hasSpoiled(): boolean {
    return this.#spoiled.size > 0;
  }

  /** Whether `verify()` may find fault with its block checksums. */
  isBlemished(id: string): boolean {
    return this.#blemished.has(id) && !this.#sealed.has(id);
  }

  /** Whether it must have block checksums. */
  isSealed(id: string): boolean {
    return this.#sealed.has(id);
  }

  /** Whether it must have the origin that an import keeps. */
  isImported(id: string): boolean {
    return this.#imported.has(id);
  }

  /** Those that the store must still have but for retention; oldest first. */
  get owed(): string[] {
    return this.#acknowledged.filter((id) =>
      !this.#deleting.has(id) && !this.#spoiled.has(id)
    );
  }

  /** Whether it was published, and the answer is still to come. */
  isBeingPublished(id: string): boolean {
    return this.#contents.has(id) && !this.#acknowledged.includes(id);
  }
}
