/** Opens places that keep unchanged archives. */

import { readdir } from "node:fs/promises";
import { type ArchiveStore, openFileArchiveStore } from "../../archive/mod.ts";
import { StoreAccessError } from "../../../mod.ts";
import { hasSnapshots, isBucket, openArchiveBucket } from "../buckets.ts";
import { CommandError, NOT_CHECKED } from "../failure.ts";
import { messageOf } from "../reason.ts";
import type { LockingOptions } from "../stores.ts";

/** Opens a directory or bucket of archives. */
export async function openArchives(
  place: string,
  { hostId }: LockingOptions = {},
): Promise<ArchiveStore> {
  return isBucket(place)
    ? await openArchiveBucket(place)
    : openFileArchiveStore(place, { hostId });
}

/** Whether a place is that of a store of snapshots. */
export async function isStore(
  place: string,
  how?: Parameters<typeof hasSnapshots>[1],
): Promise<boolean> {
  if (isBucket(place)) return await reading(() => hasSnapshots(place, how));
  const names = await readdir(place).catch(() => [] as string[]);
  return names.includes("snapshots");
}

/**
 * The archives of a place, if it is one of archives and not a store of
 * snapshots: it has archives, and no `snapshots/`. The store reports a place
 * that can't be examined.
 */
export async function findArchives(
  place: string,
  options: LockingOptions = {},
): Promise<ArchiveStore | undefined> {
  if (await isStore(place)) return undefined;
  if (!isBucket(place)) {
    const names = await readdir(place).catch(() => [] as string[]);
    if (!names.some((name) => name.endsWith(".snap"))) return undefined;
  }
  const archives = await openArchives(place, options);
  const all = await reading(() => archives.list());
  return all.length > 0 ? archives : undefined;
}

/** A place that can't be read has not been checked. */
export async function reading<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof StoreAccessError)) throw error;
    throw new CommandError(messageOf(error), {
      cause: error,
      exitCode: NOT_CHECKED,
    });
  }
}
