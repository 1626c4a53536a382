/** A Raft node as docs/guide.md describes it, with a log in memory. */

import type { Configuration, SnapshotStore } from "@raft/snapshots";

/** A position in the log; snapshots have one too. */
export interface Position {
  readonly index: bigint;
  readonly term: bigint;
}

/** The metadata that a snapshot is begun with. */
export interface Applied extends Position {
  readonly configuration: Configuration;
  readonly configurationIndex: bigint;
}

/** The state machine of the guide. */
export interface Machine {
  get(key: string): string | undefined;
  apply(command: { readonly key: string; readonly value: string }): void;
  freeze(): Iterable<Uint8Array>;
}

/** The leases of the guide. */
export interface Leases {
  renew(follower: string, index: bigint, ttlMs?: number): void;
  lowestIndex(): bigint | undefined;
}

/** A log of terms: its entries carry nothing. */
export class TermLog {
  /** The term of the entry before the first, and of each entry. */
  #terms: bigint[];
  #base: bigint;

  constructor(base: bigint, terms: readonly bigint[]) {
    this.#base = base;
    this.#terms = [...terms];
  }

  get firstIndex(): bigint {
    return this.#base + 1n;
  }

  get lastIndex(): bigint {
    return this.#base + BigInt(this.#terms.length - 1);
  }

  termAt(index: bigint): bigint | undefined {
    return index < this.#base
      ? undefined
      : this.#terms[Number(index - this.#base)];
  }

  dropUpTo(index: bigint): void {
    this.#terms = this.#terms.slice(Number(index - this.#base));
    this.#base = index;
  }

  reset({ index, term }: Position): void {
    this.#base = index;
    this.#terms = [term];
  }
}

/** A log of entries 1 to `count`, all of term 1. */
export function logOf(count: number): TermLog {
  return new TermLog(0n, Array.from({ length: count + 1 }, () => 1n));
}

/** The guide's node. */
export interface GuideNode {
  store: SnapshotStore;
  readonly machine: Machine;
  applied: Applied;
  log: TermLog;
  readonly leases: Leases;
  readonly stopping: AbortController;
  readonly trailing: bigint;
  readonly maxSize: number;
}
