/** Opens stores for commands, with their warnings on stderr. */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type FileSnapshotStore, openFileSnapshotStore } from "../../mod.ts";
import { compareNewestFirst, parseId } from "../file_store/ids.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import { CommandError, systemReason } from "./failure.ts";
import { warn } from "./output.ts";

const logger = {
  debug: (): void => {},
  info: (): void => {},
  warn,
  error: warn,
};

/** Opens a store, made when missing, for `use`, and closes it again. */
export async function withStoreToWrite<T>(
  directory: string,
  retain: number | undefined,
  use: (store: FileSnapshotStore) => Promise<T>,
): Promise<T> {
  const store = await openFileSnapshotStore(directory, {
    logger,
    ...(retain === undefined ? {} : { retain }),
  });
  return await useAndClose(store, use);
}

/**
 * Opens an existing store for `use`, beside whoever writes to it, and closes it
 * again.
 */
export async function withStoreToRead<T>(
  directory: string,
  use: (store: FileSnapshotStore) => Promise<T>,
): Promise<T> {
  await requireStore(directory);
  const store = await openFileSnapshotStore(directory, {
    logger,
    readOnly: true,
  });
  return await useAndClose(store, use);
}

/** A store that is looked into or mended must be there: nothing is made. */
export async function requireStore(directory: string): Promise<void> {
  await snapshotDirectories(directory);
}

async function useAndClose<T>(
  store: FileSnapshotStore,
  use: (store: FileSnapshotStore) => Promise<T>,
): Promise<T> {
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/**
 * The IDs of all published snapshots, newest first, whatever state they are in:
 * `list()` leaves out those whose metadata can't be read.
 */
export async function publishedIds(directory: string): Promise<string[]> {
  const names = await snapshotDirectories(directory);
  for (const name of names) {
    if (parseId(name) === undefined) {
      warn(
        `Cannot check ${join(directory, "snapshots", name)}: not a snapshot`,
      );
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
    { cause: error },
  );
}

/** The newest snapshot that can be read. */
export async function newestOf(
  store: FileSnapshotStore,
  directory: string,
): Promise<SnapshotMeta> {
  const [newest] = await store.list();
  if (newest !== undefined) return newest;
  throw new CommandError(
    `Cannot find a snapshot in ${join(directory, "snapshots")}: none is usable`,
  );
}
