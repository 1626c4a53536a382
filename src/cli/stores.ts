/** Opens stores for commands, with their warnings on stderr. */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type Logger,
  openFileSnapshotStore,
  type SnapshotStore,
} from "../../mod.ts";
import { FileBackend } from "../backends/file/file_backend.ts";
import { compareNewestFirst, parseId } from "../snapshot/id.ts";
import { StoreAccessError } from "../errors.ts";
import { findMissing } from "../backends/file/claim.ts";
import { nodeFileSystem } from "../fs/node/file_system.ts";
import { openSnapshotStore } from "../store/store.ts";
import {
  CommandError,
  exitCodeOf,
  messageOf,
  NOT_CHECKED,
  systemReason,
} from "./failure.ts";
import { warn } from "./output.ts";

/** What the library reports goes to stderr. */
export const logger: Logger = {
  debug: (): void => {},
  // Which snapshots have been removed, such as those beyond --retain.
  info: warn,
  warn,
  error: warn,
};

/** How commands take a store's lock. */
export interface LockingOptions {
  /** What identifies this host in the lock. */
  readonly hostId?: string;
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
  const path = `${nodeFileSystem.resolve(directory)}/snapshots`;
  // What can't be looked at can't be opened either, which says why.
  const missing = await findMissing(nodeFileSystem, path).catch(() => []);
  try {
    const store = await openFileSnapshotStore(directory, {
      logger,
      hostId,
      retain: retain ?? Number.MAX_SAFE_INTEGER,
    });
    return await useAndClose(store, use);
  } catch (error) {
    await removeEmpty(missing);
    throw error;
  }
}

/** Removes directories, innermost first, up to one that another program uses. */
async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const path of [...directories].reverse()) {
    // The error that led here is the one that matters.
    await nodeFileSystem.removeDirectory(path).catch(() => {});
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
  return await withBackendToMend(
    new FileBackend(directory, { sweep: false, hostId }),
    use,
  );
}

/** Does so with a backend that sweeps nothing when it is connected. */
export async function withBackendToMend<T>(
  backend: FileBackend,
  use: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  return await useAndClose(await openSnapshotStore(backend, { logger }), use);
}

/**
 * Opens an existing store for `use`, beside a program that may be writing to it,
 * and closes it again.
 */
export async function withStoreToRead<T>(
  directory: string,
  use: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  await requireStore(directory);
  try {
    const store = await openFileSnapshotStore(directory, {
      logger,
      readOnly: true,
    });
    return await useAndClose(store, use);
  } catch (error) {
    if (!(error instanceof StoreAccessError)) throw error;
    throw new CommandError(messageOf(error), {
      cause: error,
      exitCode: NOT_CHECKED,
    });
  }
}

/** A store that is looked into or mended must be there: nothing is made. */
export async function requireStore(directory: string): Promise<void> {
  await snapshotDirectories(directory);
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
 * The IDs of all published snapshots, newest first, whatever state they are in:
 * `list()` leaves out those whose metadata can't be read. `onOther` is told the
 * paths of the directories that are no snapshots.
 */
export async function publishedIds(
  directory: string,
  onOther: (path: string) => void = () => {},
): Promise<string[]> {
  const names = await snapshotDirectories(directory);
  for (const name of names) {
    if (parseId(name) === undefined) {
      onOther(join(directory, "snapshots", name));
    }
  }
  return names
    .filter((name) => parseId(name) !== undefined)
    .sort(compareNewestFirst);
}

async function snapshotDirectories(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(join(directory, "snapshots"), {
      withFileTypes: true,
    });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.endsWith(".tmp"))
      .map((entry) => entry.name);
  } catch (error) {
    throw notAStore(directory, error);
  }
}

function notAStore(directory: string, error: unknown): CommandError {
  const hint = basename(directory) === "snapshots"
    ? "; give the directory above it"
    : "";
  return new CommandError(
    `Cannot read ${join(directory, "snapshots")}: ${
      systemReason(error)
    }${hint}`,
    { cause: error, exitCode: exitCodeOf(error) },
  );
}

/**
 * The ID of the newest snapshot. When that one is bad, an older one is not what
 * was asked for.
 */
export async function newestIn(directory: string): Promise<string> {
  const [newest] = await publishedIds(directory);
  if (newest !== undefined) return newest;
  throw new CommandError(
    `Cannot find a snapshot in ${join(directory, "snapshots")}: there is none`,
  );
}
