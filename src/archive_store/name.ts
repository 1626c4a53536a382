/**
 * The names of archives in a store of them: `<index>-<unixMs>.snap`. No path or
 * key is built from a name that has not passed {@linkcode parseName}.
 *
 * @module
 */

import { SnapshotNotFoundError } from "../errors.ts";
import { quote } from "../text.ts";
import { UINT64_MAX } from "../uint64.ts";
import type { ArchiveNaming, StoredArchive } from "./archive_store.ts";

/** The parts of a name. */
export type NamedArchive = Omit<StoredArchive, "size">;

const GRAMMAR = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,15})\.snap$/;

/** The latest time that a `Date` can hold. */
const UNIX_MS_MAX = 8_640_000_000_000_000;

/** The parts of a name; `undefined` when it is not one of an archive. */
export function parseName(name: string): NamedArchive | undefined {
  const match = GRAMMAR.exec(name);
  if (match === null) return undefined;
  const index = BigInt(match[1] ?? "");
  const unixMs = Number(match[2]);
  if (index > UINT64_MAX || unixMs > UNIX_MS_MAX) return undefined;
  return { name, index, createdAt: new Date(unixMs) };
}

/**
 * The name of an archive.
 *
 * @throws {RangeError} when the index or the time can't be in one.
 */
export function formatName(
  { index, createdAt = new Date() }: ArchiveNaming,
): string {
  const name = `${index}-${createdAt.getTime()}.snap`;
  if (parseName(name) !== undefined) return name;
  throw new RangeError(
    `Cannot name an archive: found the index ${index} and the time ` +
      `${createdAt.getTime()}, expected a uint64 and a time after 1970`,
  );
}

/**
 * The name, if it is one of an archive.
 *
 * @throws {SnapshotNotFoundError} when the name can't be that of an archive.
 */
export function requireName(name: string): string {
  if (parseName(name) !== undefined) return name;
  throw new SnapshotNotFoundError(
    `Cannot find the archive ${quote(String(name))}: expected a name such as ` +
      "42-1767312000000.snap",
  );
}

/** Sorts archives, the newest first. */
export function newestFirst(a: NamedArchive, b: NamedArchive): number {
  const byTime = b.createdAt.getTime() - a.createdAt.getTime();
  if (byTime !== 0) return byTime;
  return a.index < b.index ? 1 : -1;
}
