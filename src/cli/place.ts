/** Finds the store or the archive that a path of the command line stands for. */

import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import {
  InvalidSnapshotIdError,
  parseSnapshotId,
  systemCode,
} from "../../mod.ts";
import { hasSnapshots, isBucket } from "./buckets.ts";
import { CommandError, exitCodeOf } from "./failure.ts";
import { systemReason } from "./reason.ts";

/** A store, by the directory that it is opened with, or in a bucket. */
export interface StorePlace {
  readonly kind: "store";
  readonly directory: string;
  /** The snapshot, when the path led to one. */
  readonly id: string | undefined;
}

/** An archive in a file; `-` is stdin. */
export interface ArchivePlace {
  readonly kind: "archive";
  readonly file: string;
}

/** The files in a snapshot's directory. */
const PARTS: ReadonlySet<string> = new Set(
  ["state.bin", "meta.json", "blocks.crc64", "archive.origin"],
);

/** Where programs have their store in their data directory. */
const BELOW = [
  "raft", // Consul, Vault
  join("server", "raft"), // Nomad
  join("data", "raft"),
  join("data", "server", "raft"),
] as const;

/**
 * Finds the store that a path means: a store's directory, one above it such as
 * `/opt/consul`, its `snapshots/`, one snapshot in it, or that one's
 * `state.bin`. Every other file counts as an archive.
 *
 * @throws {CommandError} when the path can't be looked at, or leads to several
 * stores.
 */
export async function findPlace(
  path: string,
): Promise<StorePlace | ArchivePlace> {
  if (isBucket(path)) return await findInBucket(path);
  if (path === "-") return { kind: "archive", file: path };
  if (await isDirectoryOrFail(path)) return await findStoreAt(path);
  const snapshot = dirname(resolve(path));
  const isPart = PARTS.has(basename(path)) && isSnapshotPath(snapshot);
  return isPart ? ofSnapshot(snapshot) : { kind: "archive", file: path };
}

/**
 * The same for a command that takes a store only; `id` is the ID that was given
 * beside the path.
 *
 * @throws {CommandError} when the path is that of a file.
 */
export async function findStore(
  path: string,
  id?: string | undefined,
): Promise<StorePlace> {
  const place = await findPlace(path);
  if (place.kind === "archive") {
    throw new CommandError(
      `Cannot use ${path} as a store: found a file, expected a directory`,
    );
  }
  return { ...place, id: chooseId(place, id) };
}

/**
 * The ID that was given beside a path, or the one that the path leads to.
 *
 * @throws {InvalidArgumentError} when both are there.
 */
export function chooseId(
  place: StorePlace,
  id: string | undefined,
): string | undefined {
  if (id === undefined || place.id === undefined) return id ?? place.id;
  throw new InvalidArgumentError(
    `Cannot use the ID ${id}: the path is that of the snapshot ${place.id}`,
  );
}

/**
 * Refuses a path at which a store would be made, although it leads to another
 * one.
 *
 * @throws {CommandError} that names the path of the store.
 */
export async function requireNoOther(path: string): Promise<void> {
  if (!isBucket(path) && !await isDirectory(path)) return;
  const { directory, id } = isBucket(path)
    ? await findInBucket(path)
    : await findStoreAt(path);
  if (directory === path && id === undefined) return;
  throw new CommandError(
    `Cannot make a store in ${path}, which is a part of the store in ` +
      `${directory}: give that directory`,
    { exitCode: 2 },
  );
}

/** A place in a bucket whose last names may be those of a snapshot in it. */
const IN_BUCKET = /^([sS]3:\/\/.+)\/snapshots(?:\/([^/]+)(?:\/([^/]+))?)?\/?$/s;

/**
 * The same for a bucket, where a prefix may be called `snapshots` as well, and
 * then has a store of its own.
 */
async function findInBucket(path: string): Promise<StorePlace> {
  const [, directory, id, part] = IN_BUCKET.exec(path) ?? [];
  if (directory === undefined) return storeIn(path);
  if (id !== undefined) {
    const isSnapshot = isId(id) && (part === undefined || PARTS.has(part));
    return isSnapshot ? { ...storeIn(directory), id } : storeIn(path);
  }
  const isOther = !await hasSnapshots(path) && await hasSnapshots(directory);
  return storeIn(isOther ? directory : path);
}

async function findStoreAt(path: string): Promise<StorePlace> {
  if (await isDirectory(join(path, "snapshots"))) return storeIn(path);
  const full = resolve(path);
  if (isSnapshotPath(full)) return ofSnapshot(full);
  if (basename(full) === "snapshots") return storeIn(dirname(full));
  const found: string[] = [];
  for (const below of BELOW) {
    const directory = join(path, below);
    if (await isDirectory(join(directory, "snapshots"))) found.push(directory);
  }
  if (found.length > 1) {
    throw new CommandError(
      `Cannot choose a store below ${path}: found ${found.join(" and ")}`,
      { exitCode: 2 },
    );
  }
  return storeIn(found[0] ?? path);
}

function storeIn(directory: string): StorePlace {
  return { kind: "store", directory, id: undefined };
}

function ofSnapshot(path: string): StorePlace {
  const directory = dirname(dirname(path));
  return { kind: "store", directory, id: basename(path) };
}

/** Whether a path is that of a snapshot's directory. */
function isSnapshotPath(path: string): boolean {
  return basename(dirname(path)) === "snapshots" && isId(basename(path));
}

function isId(name: string): boolean {
  try {
    parseSnapshotId(name);
    return true;
  } catch (error) {
    if (error instanceof InvalidSnapshotIdError) return false;
    throw error;
  }
}

/**
 * A path that can't be examined is not a directory here; opening it reports
 * why.
 */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}

async function isDirectoryOrFail(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // A store that is missing is looked for in snapshots/, which says so.
    throw new CommandError(`Cannot read ${path}: ${systemReason(error)}`, {
      cause: error,
      exitCode: exitCodeOf(error),
    });
  }
}
