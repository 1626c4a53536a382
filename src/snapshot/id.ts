/**
 * Snapshot IDs, which are directory names: `<term>-<index>-<unixMs>`, decimal
 * and unpadded, as `snapshotName` in Go's `file_snapshot.go` makes them. No
 * path is ever built from an ID that has not passed {@linkcode parseId}.
 *
 * @module
 */

import { InvalidSnapshotIdError } from "../errors.ts";
import { quote } from "../text.ts";

/** The numbers that an ID is made of. */
export interface SnapshotIdParts {
  /** The term of the last index that the state includes. */
  readonly term: bigint;
  /** The last log index that the state includes. */
  readonly index: bigint;
  /** When the snapshot was begun, in milliseconds since 1970. */
  readonly unixMs: bigint;
}

/** A directory that is not a published snapshot, and what became of it. */
export interface TemporaryName {
  /** The snapshot it was to be, or was. */
  readonly id: string;
  /**
   * Being written, being deleted, getting its block checksums, or set aside
   * because it is corrupt.
   */
  readonly state: "writing" | "deleted" | "sealing" | "corrupt";
  /**
   * Whether the directory has the name of a published snapshot still, and says
   * by a marker in it what became of it, because it can't be renamed.
   */
  readonly inPlace?: true;
}

const GRAMMAR = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})-(0|[1-9]\d{0,15})$/;
const UINT64_MAX = 2n ** 64n - 1n;
/** The latest time that a `Date` can hold: no real ID comes near. */
const UNIX_MS_MAX = 8_640_000_000_000_000n;

/** The parts of an ID, or `undefined` when the text is not one. */
export function parseId(text: string): SnapshotIdParts | undefined {
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const [term, index, unixMs] = match.slice(1).map(BigInt) as [
    bigint,
    bigint,
    bigint,
  ];
  if (term > UINT64_MAX || index > UINT64_MAX || unixMs > UNIX_MS_MAX) {
    return undefined;
  }
  return { term, index, unixMs };
}

/** The ID of these parts. */
export function formatId(parts: SnapshotIdParts): string {
  return `${parts.term}-${parts.index}-${parts.unixMs}`;
}

/**
 * Checks an ID that a caller gave.
 *
 * @throws {InvalidSnapshotIdError} when it is not one.
 */
export function requireId(id: string): string {
  if (typeof id === "string" && parseId(id) !== undefined) return id;
  const found = typeof id === "string" ? quote(id) : typeof id;
  throw new InvalidSnapshotIdError(
    `Cannot use ${found} as a snapshot ID: expected <term>-<index>-<unixMs>`,
  );
}

/** Orders IDs newest first: by term, then index, then time, as numbers. */
export function compareNewestFirst(a: string, b: string): number {
  const left = parseId(a);
  const right = parseId(b);
  if (left === undefined || right === undefined) {
    throw new TypeError(`Cannot compare "${a}" and "${b}": expected two IDs`);
  }
  return descending(left.term, right.term) ||
    descending(left.index, right.index) ||
    descending(left.unixMs, right.unixMs);
}

function descending(a: bigint, b: bigint): number {
  return a === b ? 0 : a > b ? -1 : 1;
}

/** The name of a snapshot's directory while it is not published. */
export function temporaryName({ id, state, inPlace }: TemporaryName): string {
  if (inPlace) return id;
  return state === "writing" ? `${id}.tmp` : `${id}.${state}.tmp`;
}

/** What a name ending in `.tmp` says, or `undefined` when it is not ours. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const match = /^([\d-]+)(?:\.(deleted|sealing|corrupt))?\.tmp$/.exec(name);
  const id = match?.[1];
  if (id === undefined || parseId(id) === undefined) return undefined;
  const state = match?.[2] as TemporaryName["state"] | undefined;
  return { id, state: state ?? "writing" };
}
