/**
 * Snapshot IDs, which are directory names: `<term>-<index>-<unixMs>`, decimal
 * and unpadded, as `snapshotName` in Go's `file_snapshot.go` makes them. No
 * path is ever built from an ID that has not passed {@linkcode parseId}.
 *
 * @module
 */

import { InvalidSnapshotIdError } from "../errors.ts";
import { quote } from "../text.ts";
import { UINT64_MAX } from "../uint64.ts";

/** The numbers that an ID is made of. */
export interface SnapshotIdParts {
  /** The term of the last index that the state includes. */
  readonly term: bigint;
  /** The last log index that the state includes. */
  readonly index: bigint;
  /** When the snapshot was begun, in milliseconds since 1970. */
  readonly unixMs: bigint;
}

const GRAMMAR = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})-(0|[1-9]\d{0,15})$/;
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

/** When a snapshot was begun; `undefined` when the text is not an ID. */
export function timeOf(text: string): Date | undefined {
  const parts = parseId(text);
  return parts && new Date(Number(parts.unixMs));
}

/** The parts of a snapshot's ID. */
export interface SnapshotIdInfo {
  /** The term of the last log index that the state includes; a uint64. */
  readonly term: bigint;
  /** The last log index that the state includes; a uint64. */
  readonly index: bigint;
  /** When the snapshot was begun, in milliseconds. */
  readonly createdAt: Date;
}

/**
 * Reads a snapshot's ID, `<term>-<index>-<unixMs>`. A text whose time `Date`
 * can't hold (after the year 275760) is not an ID.
 *
 * @throws {InvalidSnapshotIdError} when the text is not an ID.
 *
 * @example Find out how old a snapshot is
 * ```ts
 * import { parseSnapshotId } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const { index, createdAt } = parseSnapshotId("3-10-1767312000000");
 * assert.equal(index, 10n);
 * assert.equal(createdAt.toISOString(), "2026-01-02T00:00:00.000Z");
 * ```
 */
export function parseSnapshotId(id: string): SnapshotIdInfo {
  const { term, index, unixMs } = parseId(requireId(id)) as SnapshotIdParts;
  return { term, index, createdAt: new Date(Number(unixMs)) };
}

/** The ID of these parts. */
export function formatId(parts: SnapshotIdParts): string {
  return `${parts.term}-${parts.index}-${parts.unixMs}`;
}

/**
 * Checks an ID that a caller gave.
 *
 * @throws {InvalidSnapshotIdError} when the text is not an ID.
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
  return comparePartsNewestFirst(requireParts(a), requireParts(b));
}

/** Sorts IDs newest first; parses each once. */
export function newestFirst(ids: readonly string[]): string[] {
  return ids.map((id) => ({ id, parts: requireParts(id) }))
    .sort((a, b) => comparePartsNewestFirst(a.parts, b.parts))
    .map(({ id }) => id);
}

function requireParts(id: string): SnapshotIdParts {
  const parts = parseId(id);
  if (parts !== undefined) return parts;
  throw new TypeError(`Cannot compare "${id}": expected an ID`);
}

function comparePartsNewestFirst(
  left: SnapshotIdParts,
  right: SnapshotIdParts,
): number {
  return descending(left.term, right.term) ||
    descending(left.index, right.index) ||
    descending(left.unixMs, right.unixMs);
}

function descending(a: bigint, b: bigint): number {
  return a === b ? 0 : a > b ? -1 : 1;
}
