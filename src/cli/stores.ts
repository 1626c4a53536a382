/** Opens stores for commands, with their warnings on stderr. */

import { readdir, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  type FileSnapshotStoreOptions,
  type Logger,
  openFileSnapshotStore,
  type OpenOptions,
  SnapshotNotFoundError,
  type SnapshotReader,
  type SnapshotSource,
  type SnapshotStore,
  StoreAccessError,
  type StoreEvent,
  systemCode,
  toLogLine,
} from "../../mod.ts";
import { isBucket, openBucket } from "./buckets.ts";
import { CommandError, exitCodeOf, NOT_CHECKED } from "./failure.ts";
import { currentOrder } from "./order.ts";
import { note, warn } from "./output.ts";
import { requireNoOther } from "./place.ts";
import { messageOf, systemReason } from "./reason.ts";

/** Events that the commands report themselves, or need not report. */
const UNTOLD = new Set<StoreEvent["type"]>([
  "published",
  "restored",
  "deleted",
]);

/** Writes the library's reports to stderr. */
export const reporting = {
  logger: { debug() {}, info() {}, warn() {}, error() {} } satisfies Logger,
  onEvent(event: StoreEvent): void {
    const { level, message } = toLogLine(event);
    if (level === "debug" || UNTOLD.has(event.type)) return;
    // With `info`: which were removed, such as those beyond --retain.
    if (level === "info") note(message);
    else warn(message);
  },
};

/** How commands take a store's lock. */
export interface LockingOptions {
  /** The identity of this host in the lock. */
  readonly hostId?: string | undefined;
}

/** How commands open a store to look into it. */
export interface ReadingOptions extends LockingOptions {
  /** How old another program's unfinished snapshot is when a crash has left it. */
  readonly foreignTmpAgeMs?: number | undefined;
}

/** How commands open a store to add a snapshot. */
export interface WritingOptions extends LockingOptions {
  /** How many snapshots to keep; all when it is left out. */
  readonly retain?: number;
}

/**
 * Opens a store, made when missing, for `use`, and closes it again. When that
 * fails, the directories that it has made are removed. Deletes snapshots only
 * when `retain` says how many are to be kept: the program that the store belongs
 * to may keep more than any default.
 */
export async function withStoreToWrite<T>(
  directory: string,
  { retain, hostId }: WritingOptions,
  use: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  await requireNoOther(directory);
  if (isBucket(directory)) {
    const store = await openBucket(directory, {
      ...reporting,
      order: currentOrder(),
      retain: retain ?? Infinity,
    });
    return await useAndClose(store, use);
  }
  // A path that can't be examined can't be opened either, which reports why.
  const missing = await findMissing(resolve(directory, "snapshots"))
    .catch(() => []);
  try {
    const store = await openDirectory(directory, {
      ...reporting,
      order: currentOrder(),
      hostId,
      retain: retain ?? Infinity,
    });
    return await useAndClose(store, use);
  } catch (error) {
    await removeEmpty(missing);
    throw error;
  }
}

/** The directories on the way to `path` that are missing, outermost first. */
async function findMissing(path: string): Promise<string[]> {
  try {
    await stat(path);
    return [];
  } catch (error) {
    const parent = dirname(path);
    // A drive of Windows can be missing, too (not run there).
    if (systemCode(error) !== "ENOENT" || parent === path) throw error;
    return [...await findMissing(parent), path];
  }
}

/** Opens the store in a directory; a wrong option is a usage error. */
async function openDirectory(
  directory: string,
  options: FileSnapshotStoreOptions,
): Promise<SnapshotStore> {
  try {
    return await openFileSnapshotStore(directory, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandError(messageOf(error), { cause: error, exitCode: 2 });
  }
}

/** Removes directories, innermost first, up to one that another program uses. */
async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const path of [...directories].reverse()) {
    // The caller needs the error that led here.
    await rmdir(path).catch(() => {});
  }
}

/**
 * Opens an existing store for `use`, with its lock, and closes it again. Opening
 * removes nothing unfinished, because a Go server may be writing it.
 */
export async function withStoreToMend<T>(
  directory: string,
  { hostId }: LockingOptions,
  use: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  await requireStore(directory);
  const options = { ...reporting, order: currentOrder(), sweep: false };
  const store = isBucket(directory)
    ? await openBucket(directory, options)
    : await openDirectory(directory, { ...options, hostId });
  return await useAndClose(store, use);
}

/**
 * Opens an existing store for `use`, beside a program that may be writing to it,
 * and closes it again.
 */
export async function withStoreToRead<T>(
  directory: string,
  use: (store: SnapshotStore) => Promise<T>,
  options: ReadingOptions = {},
): Promise<T> {
  await requireStore(directory);
  try {
    return await useAndClose(await openToRead(directory, options), use);
  } catch (error) {
    if (!(error instanceof StoreAccessError)) throw error;
    throw new CommandError(messageOf(error), {
      cause: error,
      exitCode: NOT_CHECKED,
    });
  }
}

function openToRead(
  directory: string,
  options: ReadingOptions,
): Promise<SnapshotStore> {
  const { foreignTmpAgeMs: sweepAfterMs } = options;
  const reading = { ...reporting, order: currentOrder(), readOnly: true };
  return isBucket(directory)
    ? openBucket(directory, { ...reading, sweepAfterMs })
    : openDirectory(directory, { ...options, ...reading });
}

/**
 * Looks whether there is a store: commands that read or mend do not make one. A
 * bucket without snapshots is an empty store.
 *
 * @throws {CommandError} when there is none.
 */
export async function requireStore(directory: string): Promise<void> {
  if (isBucket(directory)) return;
  try {
    await readdir(join(directory, "snapshots"));
  } catch (error) {
    throw await notAStore(directory, error);
  }
}

/** Where a snapshot, or all of them, are in a store, for messages. */
export function placeIn(directory: string, ...names: string[]): string {
  return isBucket(directory)
    ? [directory.replace(/\/$/, ""), "snapshots", ...names].join("/")
    : join(directory, "snapshots", ...names);
}

async function useAndClose<T>(
  store: SnapshotStore,
  use: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/**
 * The IDs of all published snapshots, newest first, also of those that can't be
 * used.
 */
export async function publishedIds(store: SnapshotReader): Promise<string[]> {
  const entries = await store.list({ unusable: true });
  return entries.filter(({ state }) => state !== "quarantined")
    .map(({ id }) => id);
}

async function notAStore(
  directory: string,
  error: unknown,
): Promise<CommandError> {
  const snapshots = join(directory, "snapshots");
  const message = systemCode(error) === "ENOENT"
    ? `There is no store in ${directory}, because there is no ${snapshots}; ` +
      await adviceFor(directory)
    : `Cannot read ${snapshots}: ${systemReason(error)}`;
  return new CommandError(message, {
    cause: error,
    exitCode: exitCodeOf(error),
  });
}

/** What to give instead of a directory without snapshots. */
async function adviceFor(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const archive = names.find((name) => name.endsWith(".snap"));
  return archive === undefined
    ? "give the directory that the program opens its store with (Consul's is " +
      "raft/ in its data directory)"
    : `give archives by their names, such as ${join(directory, archive)}`;
}

/** Stands for the newest snapshot in the place of an ID. */
const LATEST = "latest";

/**
 * The ID itself, or that of the newest snapshot for `latest`: also of one that
 * is bad, because an older snapshot must not replace it unnoticed.
 *
 * @throws {CommandError} when there is no snapshot.
 */
export async function resolveId(
  store: SnapshotReader,
  directory: string,
  id: string,
): Promise<string> {
  if (id !== LATEST) return id;
  const [newest] = await publishedIds(store);
  if (newest === undefined) throw noSnapshotIn(directory);
  return newest;
}

/** Which snapshot a command opens, and how. */
export interface Choice extends OpenOptions {
  /** The snapshot; the newest when it is left out or `latest`. */
  readonly id: string | undefined;
}

/**
 * Opens the snapshot that is named, or the newest. An older snapshot replaces
 * the newest only when another program removes that meanwhile, not when it is
 * bad.
 *
 * @throws {CommandError} when there is no snapshot.
 */
export async function openChosen(
  store: SnapshotStore,
  directory: string,
  { id, ...options }: Choice,
): Promise<SnapshotSource> {
  if (id !== undefined && id !== LATEST) return await store.open(id, options);
  const gone = new Set<string>();
  for (;;) {
    const ids = await publishedIds(store);
    const newest = ids.find((id) => !gone.has(id));
    if (newest === undefined) throw noSnapshotIn(directory);
    try {
      return await store.open(newest, options);
    } catch (error) {
      if (!(error instanceof SnapshotNotFoundError)) throw error;
      gone.add(newest);
    }
  }
}

function noSnapshotIn(directory: string): CommandError {
  return new CommandError(`There is no snapshot in ${placeIn(directory)}`);
}
